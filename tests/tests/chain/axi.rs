//! The AXI4-Stream top: frames of the wrong length, reset in the middle of a frame.

use crate::work;
use dataflow::Dataflow;
use emit::Design;
use golden::Golden;
use ndarray::{Array1, Array2};
use std::fs;
use std::path::Path;
use tensor::npy::{self, NpyArray};
use tensor::words;
use tests::networks::{Bundle, Draw, Unit, build_folder, prepare, random_fold, random_network};

/// Words with `tlast`, as a sender puts them on the bus.
#[derive(Default)]
pub(crate) struct Traffic {
    words: Vec<Vec<u8>>,
    last: Vec<u8>,
}

/// What the output carries: words, `tlast`, `tuser`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Results {
    words: Vec<Vec<u8>>,
    last: Vec<u8>,
    user: Vec<u8>,
}

/// A built design with what is known of it.
pub(crate) struct Bench {
    pub(crate) design: Design,
    pub(crate) unit: Unit,
}

impl Results {
    fn split_off(&mut self, at: usize) -> Results {
        Results {
            words: self.words.split_off(at),
            last: self.last.split_off(at),
            user: self.user.split_off(at),
        }
    }
}

impl Bench {
    fn dataflow(&self) -> &Dataflow {
        &self.design.dataflow
    }

    fn words_per_frame(&self) -> usize {
        self.dataflow().input().words_per_frame()
    }

    /// A frame of `length` words: random values, and random bits in unused lanes and high bits
    /// beyond the frame only where it is too long.
    fn send(&self, traffic: &mut Traffic, draw: &mut Draw, length: usize) {
        let input = self.dataflow().input();
        let frame: Vec<i64> =
            (0..input.elements).map(|_| input.element.decode(draw.bits() >> 7)).collect();
        let packed = words::pack(input.element, input.lanes, &frame);
        let mut all: Vec<Vec<u8>> = packed.chunks(input.bytes()).map(<[u8]>::to_vec).collect();
        while all.len() < length {
            all.push((0..input.bytes()).map(|_| draw.bits() as u8).collect());
        }
        all.truncate(length);
        traffic.last.extend((1..=length).map(|n| u8::from(n == length)));
        traffic.words.extend(all);
    }

    /// The definition: short frames are filled with zeros, the surplus of long ones is dropped; the
    /// result of a frame leaves when all its words are known.
    fn expect(&self, words_in: &[Vec<u8>], last: &[u8]) -> Results {
        let (input, output) = (self.dataflow().input(), self.dataflow().output());
        let golden = Golden::new(&self.design.network);
        let whole = self.words_per_frame();
        let mut results = Results::default();
        let mut frame: Vec<Vec<u8>> = Vec::new();
        for (word, &last) in words_in.iter().zip(last) {
            frame.push(word.clone());
            let here = frame.len();
            if here == whole || (here < whole && last == 1) {
                let mut filled = frame.clone();
                filled.resize(whole, vec![0; input.bytes()]);
                let bytes = filled.concat();
                let values = words::unpack(input.element, input.lanes, input.elements, &bytes);
                let (dataflow, network) = (self.dataflow(), &self.design.network);
                let streams = sim::values::frame_values(dataflow, network, &golden, &values);
                let outputs = streams.last().unwrap();
                let packed = words::pack(output.element, output.lanes, outputs);
                let count = output.words_per_frame();
                let wrong = here < whole || last == 0;
                results.words.extend(packed.chunks(output.bytes()).map(<[u8]>::to_vec));
                results.last.extend((1..=count).map(|n| u8::from(n == count)));
                results.user.extend(vec![u8::from(wrong); count]);
            }
            if last == 1 {
                frame.clear();
            }
        }
        results
    }

    fn run(
        &self,
        bundle: &Bundle,
        traffic: &Traffic,
        stall: f64,
        seed: u64,
        more: &[&str],
    ) -> Result<(verify::Run, Results), String> {
        let folder = self.unit.folder.join("run");
        let record = self.unit.folder.join("recorded");
        for folder in [&folder, &record] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).unwrap();
        }
        let bytes = self.dataflow().input().bytes();
        let array = Array2::from_shape_vec((traffic.words.len(), bytes), traffic.words.concat());
        npy::write(&folder.join("s_axis.words.npy"), &array.unwrap().into_dyn()).unwrap();
        let last = Array1::from(traffic.last.clone()).into_dyn();
        npy::write(&folder.join("s_axis.last.npy"), &last).unwrap();
        if stall > 0.0 {
            let stalls = sim::Stalls::random(stall, seed);
            let (gaps, stalls) = (stalls.gaps(traffic.words.len()), stalls.stalls(4000));
            for (name, waits) in [("gaps", gaps), ("stalls", stalls)] {
                let waits = Array1::from(waits).into_dyn();
                npy::write(&folder.join(format!("{name}.npy")), &waits).unwrap();
            }
        }
        let seed = (seed % 1000 + 1).to_string();
        let mut options = vec!["--seed", seed.as_str(), "--idle", "4000", "--limit", "1000000"];
        options.extend(more);
        let rtl = self.unit.folder.join("rtl");
        let run = bundle.run(&self.unit, &rtl, &folder, &record, &options)?;
        let bytes = self.dataflow().output().bytes();
        let words = read(&record.join("m_axis.words.npy"));
        let results = Results {
            words: words.chunks(bytes).map(<[u8]>::to_vec).collect(),
            last: read(&record.join("m_axis.last.npy")),
            user: read(&record.join("m_axis.user.npy")),
        };
        if run.violations > 0 {
            return Err(format!("{}: {}", self.unit.name, run.messages));
        }
        Ok((run, results))
    }
}

fn read(path: &Path) -> Vec<u8> {
    let NpyArray::U8(array) = npy::read(path).unwrap() else { panic!("{path:?} holds no bytes") };
    array.into_iter().collect()
}

/// Random designs: some with frames of a single word, some with several output words.
fn benches(work: &Path, designs: u64) -> (Bundle, Vec<Bench>) {
    let _ = fs::remove_dir_all(work);
    let mut benches: Vec<Bench> = Vec::new();
    for seed in 5000..5000 + designs {
        let mut draw = Draw::new(seed);
        let name = format!("axi_{seed}");
        let network = random_network(&mut draw, &name);
        let network = streamline::streamline(&network.graph, &network.options).unwrap();
        let mut fold = random_fold(&mut draw, &network);
        let elements = network.input.elements();
        match seed % 3 {
            0 => fold.input_lanes = Some(elements),
            1 => fold.input_lanes = Some(1),
            _ => {}
        }
        let folded = fold::refold(&name, &network, &fold, 100.0).unwrap();
        let design = prepare(&name, network, folded).unwrap();
        let folder = work.join(&name);
        build_folder(
            &folder,
            &design.dataflow,
            &rtl::build(&design.dataflow, &design.network, rtl::Primitives::Portable),
        )
        .unwrap();
        let unit = Unit { top: name.clone(), name, folder, strict: true };
        benches.push(Bench { design, unit });
    }
    let units: Vec<Unit> = benches.iter().map(|b| b.unit.clone()).collect();
    (Bundle::build(work, &units).unwrap(), benches)
}

const STALLS: [f64; 4] = [0.0, 0.2, 0.5, 0.8];

#[test]
fn frames_of_the_wrong_length_and_resets() {
    let work = work("axi");
    let (bundle, benches) = benches(&work, 10);
    let single = benches.iter().filter(|b| b.words_per_frame() == 1).count();
    assert!(single >= 2 && single < benches.len(), "{single} designs with frames of one word");
    for (index, bench) in benches.iter().enumerate() {
        let mut draw = Draw::new(index as u64 + 31);
        for stall in STALLS {
            right_frames(&bundle, bench, &mut draw, stall).unwrap();
            mixed_frames(&bundle, bench, &mut draw, stall).unwrap();
            for _ in 0..4 {
                reset(&bundle, bench, &mut draw, stall).unwrap();
            }
        }
    }
    fs::remove_dir_all(&work).unwrap();
}

fn same(unit: &Unit, found: &Results, expected: &Results) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{}: expected {expected:?}, found {found:?}", unit.name))
}

pub(crate) fn right_frames(
    bundle: &Bundle,
    bench: &Bench,
    draw: &mut Draw,
    stall: f64,
) -> Result<(), String> {
    let mut traffic = Traffic::default();
    for _ in 0..6 {
        bench.send(&mut traffic, draw, bench.words_per_frame());
    }
    let (run, results) = bench.run(bundle, &traffic, stall, draw.bits(), &[])?;
    same(&bench.unit, &results, &bench.expect(&traffic.words, &traffic.last))?;
    let ended = run.finished && !run.frame_error;
    if ended { Ok(()) } else { Err(format!("{}: {run:?}", bench.unit.name)) }
}

/// Short, right and long frames in any order, back to back.
pub(crate) fn mixed_frames(
    bundle: &Bundle,
    bench: &Bench,
    draw: &mut Draw,
    stall: f64,
) -> Result<(), String> {
    let whole = bench.words_per_frame();
    let mut traffic = Traffic::default();
    // Enough to go around the FIFO of reports.
    for _ in 0..80 {
        let length = match draw.size(0, 5) {
            0 | 1 => whole,
            2 => draw.size(1, whole),
            3 => 1,
            4 => whole + 1,
            _ => whole + draw.size(1, 2 * whole + 2),
        };
        bench.send(&mut traffic, draw, length);
    }
    // The next frames are right again.
    for _ in 0..2 {
        bench.send(&mut traffic, draw, whole);
    }
    let expected = bench.expect(&traffic.words, &traffic.last);
    let (run, results) = bench.run(bundle, &traffic, stall, draw.bits(), &[])?;
    same(&bench.unit, &results, &expected)?;
    let ended = run.finished && run.frame_error == expected.user.contains(&1);
    if ended { Ok(()) } else { Err(format!("{}: {run:?}", bench.unit.name)) }
}

/// A reset after any word: what was inside is gone, and the next word starts a frame.
pub(crate) fn reset(
    bundle: &Bundle,
    bench: &Bench,
    draw: &mut Draw,
    stall: f64,
) -> Result<(), String> {
    let whole = bench.words_per_frame();
    let mut before = Traffic::default();
    for _ in 0..draw.size(0, 3) {
        let length = draw.pick(&[whole, whole, whole + 1, whole.div_ceil(2)]);
        bench.send(&mut before, draw, length);
    }
    let length = draw.pick(&[whole, whole, 2 * whole + 2]);
    bench.send(&mut before, draw, length);
    let cut = before.words.len() - draw.size(0, length - 1);
    before.words.truncate(cut);
    before.last.truncate(cut);
    let mut after = Traffic::default();
    for _ in 0..3 {
        bench.send(&mut after, draw, whole);
    }
    let [first, second] = [&before, &after].map(|t| bench.expect(&t.words, &t.last));
    let all = Traffic {
        words: [before.words, after.words].concat(),
        last: [before.last, after.last].concat(),
    };
    let reset_after = cut.to_string();
    let more = ["--reset-after", reset_after.as_str()];
    let (run, mut results) = bench.run(bundle, &all, stall, draw.bits(), &more)?;
    let name = &bench.unit.name;
    let left = results.words.len().checked_sub(second.words.len());
    let left = left.ok_or_else(|| format!("{name}: no results after a reset at word {cut}"))?;
    same(&bench.unit, &results.split_off(left), &second)?;
    // Results of earlier frames may have left, or not.
    let mut first = first;
    if left > first.words.len() {
        return Err(format!("{name}: more results than frames before a reset at word {cut}"));
    }
    first.split_off(left);
    same(&bench.unit, &results, &first)?;
    if run.frame_error { Err(format!("{name}: the flag survives a reset")) } else { Ok(()) }
}
