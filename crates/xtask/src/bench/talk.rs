//! A program that answers each line with a line.

use crate::run;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that runs.
#[derive(Debug)]
pub(super) struct Talk {
    name: String,
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Talk {
    /// Starts it; its errors come to this terminal.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = run::show(command);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot run `{name}`"))?;
        let questions = child.stdin.take().context("its input is a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        Ok(Self { name, child, questions, answers })
    }

    /// The next line that it prints.
    pub(super) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("`{}` ended with {}", self.name, self.child.wait()?);
        }
        Ok(line.trim().to_string())
    }

    /// What it answers.
    pub(super) fn ask(&mut self, question: &str) -> Result<String> {
        writeln!(self.questions, "{question}")
            .with_context(|| format!("`{}` takes no questions", self.name))?;
        self.line()
    }

    /// The number that it answers.
    pub(super) fn number(&mut self, question: &str) -> Result<f64> {
        let answer = self.ask(question)?;
        answer.parse().with_context(|| format!("`{}` said `{answer}`", self.name))
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It waits for questions.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
