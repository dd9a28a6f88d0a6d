//! Every word and every cycle, recorded against expected.

use dataflow::{Dataflow, OUTSIDE};
use diagnostic::{Code, Diagnostic, Result};
use emit::Expected;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use tensor::npy::{self, NpyArray};

/// A word that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The stream.
    pub stream: String,
    /// The engine that writes it.
    pub engine: String,
    /// Frame, counted from 0.
    pub frame: usize,
    /// Word of the frame, counted from 0.
    pub word: usize,
    /// Expected word (hexadecimal, most significant digit first) and cycle.
    pub expected: Option<(String, u64)>,
    /// Recorded word and cycle.
    pub found: Option<(String, u64)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |side: &Option<(String, u64)>| match side {
            Some((word, cycle)) => format!("{word} in cycle {cycle}"),
            None => "nothing".into(),
        };
        write!(
            f,
            "engine `{}`, stream `{}`, frame {}, word {}: expected {}, found {}",
            self.engine,
            self.stream,
            self.frame,
            self.word,
            show(&self.expected),
            show(&self.found)
        )
    }
}

/// The outcome of comparing all streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Comparison {
    /// Streams that were compared.
    pub streams_compared: usize,
    /// Words that were compared.
    pub words_compared: usize,
    /// Words with other bits, missing or too many.
    pub mismatches: usize,
    /// Words that moved in another cycle.
    pub cycle_mismatches: usize,
    /// The first difference of each stream, in the order of the dataflow.
    pub first: Vec<Difference>,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.mismatches == 0 && self.cycle_mismatches == 0
    }

    /// Nothing, or a `mismatch` that names the first difference of each stream.
    ///
    /// # Errors
    /// `mismatch`.
    pub fn into_result(self) -> Result<()> {
        if self.is_equal() {
            return Ok(());
        }
        let errors = self
            .first
            .iter()
            .map(|d| Diagnostic::new(Code::Mismatch, d.to_string()).node(d.engine.clone()));
        let hint = format!(
            "{} words differ and {} moved in another cycle; please report this with the model",
            self.mismatches, self.cycle_mismatches
        );
        let joined = Diagnostic::join(errors)
            .unwrap_or_else(|| Diagnostic::new(Code::Mismatch, "streams differ"));
        Err(joined.hint(hint))
    }
}

/// Compares what the harness recorded in `record`.
///
/// # Errors
/// `file-access` or `file-format` when a recording cannot be read.
pub fn compare(dataflow: &Dataflow, expected: &Expected, record: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    for (index, stream) in dataflow.streams.iter().enumerate() {
        let (name, bytes, words) = &expected.words[index];
        let cycles = &expected.times.streams[index];
        let found_words = read_words(&record.join(format!("{name}.words.npy")))?;
        let found_cycles = read_cycles(&record.join(format!("{name}.cycles.npy")))?;
        let engine = match stream.from {
            OUTSIDE => "outside".to_string(),
            from => dataflow.engines[from].name.clone(),
        };
        comparison.streams_compared += 1;
        let count = cycles.len().max(found_cycles.len());
        comparison.words_compared += count;
        let mut first = true;
        for n in 0..count {
            let range = n * bytes..(n + 1) * bytes;
            let left = words.get(range.clone()).zip(cycles.get(n));
            let right = found_words.get(range).zip(found_cycles.get(n));
            let same_word = left.map(|l| l.0) == right.map(|r| r.0);
            let same_cycle = left.map(|l| l.1) == right.map(|r| r.1);
            if same_word && same_cycle {
                continue;
            }
            comparison.mismatches += usize::from(!same_word);
            comparison.cycle_mismatches += usize::from(!same_cycle);
            if std::mem::take(&mut first) {
                let show = |side: Option<(&[u8], &u64)>| side.map(|(w, c)| (hexadecimal(w), *c));
                comparison.first.push(Difference {
                    stream: name.clone(),
                    engine: engine.clone(),
                    frame: n / stream.words_per_frame(),
                    word: n % stream.words_per_frame(),
                    expected: show(left),
                    found: show(right),
                });
            }
        }
    }
    compare_flags(dataflow, expected, record, &mut comparison)?;
    Ok(comparison)
}

/// At the output tlast marks the last word of each frame, and tuser says that nothing went wrong.
fn compare_flags(
    dataflow: &Dataflow,
    expected: &Expected,
    record: &Path,
    comparison: &mut Comparison,
) -> Result<()> {
    let stream = dataflow.output();
    let name = &stream.name;
    let read = |flag: &str| read_words(&record.join(format!("{name}.{flag}.npy")));
    let (last, user) = (read("last")?, read("user")?);
    let words = stream.words_per_frame();
    let cycles = expected.times.streams.last().map_or(&[][..], Vec::as_slice);
    let known = comparison.first.iter().any(|d| d.stream == *name);
    let mut first = !known;
    for (n, flags) in last.iter().zip(&user).enumerate() {
        let right = (u8::from((n + 1) % words == 0), 0);
        if (*flags.0, *flags.1) == right {
            continue;
        }
        comparison.mismatches += 1;
        if std::mem::take(&mut first) {
            let cycle = cycles.get(n).copied().unwrap_or_default();
            let show = |(last, user): (u8, u8)| Some((format!("tlast {last} tuser {user}"), cycle));
            comparison.first.push(Difference {
                stream: name.clone(),
                engine: dataflow.engines[stream.from].name.clone(),
                frame: n / words,
                word: n % words,
                expected: show(right),
                found: show((*flags.0, *flags.1)),
            });
        }
    }
    Ok(())
}

fn hexadecimal(word: &[u8]) -> String {
    word.iter().rev().map(|b| format!("{b:02x}")).collect()
}

fn read_words(path: &Path) -> Result<Vec<u8>> {
    match npy::read(path)? {
        NpyArray::U8(a) => Ok(a.into_iter().collect()),
        other => Err(wrong_type(path, &other)),
    }
}

fn read_cycles(path: &Path) -> Result<Vec<u64>> {
    match npy::read(path)? {
        NpyArray::U64(a) => Ok(a.into_iter().collect()),
        other => Err(wrong_type(path, &other)),
    }
}

fn wrong_type(path: &Path, found: &NpyArray) -> Diagnostic {
    Diagnostic::new(Code::FileFormat, format!("a recording of {}", found.type_name()))
        .from(path.display().to_string())
}
