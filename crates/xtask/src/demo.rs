//! `cargo xtask demo`: from a clean clone to an accelerator that three models agree on.

use crate::run::number;
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use crate::{run, setup};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::time::Instant;

/// Frames through Verilator.
const FRAMES: &str = "20";

/// Runs the whole chain on the shipped example and sums up.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    let (model, images) = (workspace.example("fashion-mlp.onnx"), workspace.example("images.npy"));
    let labels = workspace.example("labels.npy");
    for file in [&model, &images, &labels] {
        if !file.is_file() {
            bail!("{} is missing: is this a complete clone?", file.display());
        }
    }
    heading("Tools and program");
    setup::ensure_verilator()?;
    let xnorflow = Xnorflow::release(workspace)?;
    let out = workspace.fresh_folder("demo")?.join("out");
    let json = |arguments: &[&dyn AsRef<OsStr>]| {
        let mut command = xnorflow.command(arguments);
        command.arg("--json");
        anyhow::Ok(run::json(&mut command)?.0)
    };

    heading("What is in the model");
    run::step(&mut xnorflow.command(&[&"inspect", &model]))?;

    heading("From the model to Verilog");
    let build =
        json(&[&"build", &model, &"--board", &"pynq-z2", &"--fps", &"100000", &"-o", &out])?;

    heading("The golden model on the shipped test images");
    let infer = json(&[&"infer", &model, &"--input", &images, &"--labels", &labels])?;

    heading("The cycle-accurate simulator on the same images");
    let sim = json(&[&"sim", &out, &"--input", &images, &"--labels", &labels])?;

    heading("Verilator against simulator against golden model");
    let free = json(&[&"verify", &out, &"--input", &images, &"--frames", &FRAMES])?;
    let stalled =
        json(&[&"verify", &out, &"--input", &images, &"--frames", &FRAMES, &"--stall", &"0.3"])?;

    let results = Results { build, infer, sim, free, stalled };
    heading("Summary");
    print!("{}", results.summary()?);
    println!("everything together took {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn heading(text: &str) {
    println!("== {text}\n");
}

/// What the commands printed.
struct Results {
    build: Value,
    infer: Value,
    sim: Value,
    free: Value,
    stalled: Value,
}

impl Results {
    /// The figures as text; an error when anything disagrees.
    fn summary(&self) -> Result<String> {
        let streams = agreed(&self.free).context("without stalls")?;
        agreed(&self.stalled).context("with stalls")?;
        let accuracy = number(&self.infer, "accuracy")?;
        let simulated = number(&self.sim, "accuracy")?;
        if accuracy != simulated {
            bail!("the golden model reaches accuracy {accuracy}, the simulator {simulated}");
        }
        let b = |key: &str| number(&self.build, key);
        let (interval, latency) = (b("ii_cycles")?, number(&self.sim, "latency_cycles")?);
        if interval != number(&self.sim, "ii_cycles")? {
            bail!("the simulator does not reach the {interval} cycles a frame of the closed form");
        }
        let clock = b("clock_mhz")?;
        Ok(format!(
            "accuracy          {:.1} % on the {} shipped test images\n\
             cycles per frame  {interval}\n\
             latency           {latency} cycles ({:.1} us at {clock} MHz)\n\
             frames a second   {:.0}\n\
             estimated         {} LUT, {} FF, {} BRAM36, {} DSP\n\
             agreement         golden model, simulator and Verilator agree on {streams} streams:\n\
             \x20                 all words and all cycles of {FRAMES} frames, without and with stalls\n\
             software          {:.0} images a second in the golden model\n",
            accuracy * 100.0,
            number(&self.infer, "images")?,
            latency / clock,
            b("fps")?,
            b("luts")?,
            b("ffs")?,
            b("bram36")?,
            b("dsps")?,
            number(&self.infer, "images_per_second")?,
        ))
    }
}

/// The number of streams that a run of `verify` compared; an error when any of them differs.
pub(crate) fn agreed(verify: &Value) -> Result<f64> {
    for key in ["mismatches", "cycle_mismatches"] {
        let count = number(verify, key)?;
        if count != 0.0 {
            bail!("verify reports {count} {key}");
        }
    }
    let streams = number(verify, "streams_compared")?;
    if streams < 1.0 {
        bail!("verify compared no stream");
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn results() -> Results {
        let verify = json!({"mismatches": 0, "cycle_mismatches": 0, "streams_compared": 9});
        Results {
            build: json!({"ii_cycles": 784, "clock_mhz": 100.0, "fps": 127_551.0, "luts": 3,
                "ffs": 4, "bram36": 1.5, "dsps": 0}),
            infer: json!({"images": 200, "images_per_second": 5000.0, "accuracy": 0.865}),
            sim: json!({"ii_cycles": 784, "latency_cycles": 2000, "accuracy": 0.865}),
            free: verify.clone(),
            stalled: verify,
        }
    }

    #[test]
    fn sums_up_what_agrees() {
        let text = results().summary().unwrap();
        assert!(text.contains("86.5 % on the 200 shipped"), "{text}");
        assert!(text.contains("2000 cycles (20.0 us at 100 MHz)"), "{text}");
        assert!(text.contains("3 LUT, 4 FF, 1.5 BRAM36, 0 DSP"), "{text}");
        assert!(text.contains("agree on 9 streams"), "{text}");
    }

    #[test]
    fn refuses_what_disagrees() {
        let mut wrong = results();
        wrong.stalled["cycle_mismatches"] = json!(1);
        assert!(wrong.summary().is_err());
        let mut wrong = results();
        wrong.free["streams_compared"] = json!(0);
        assert!(wrong.summary().is_err());
        let mut wrong = results();
        wrong.sim["ii_cycles"] = json!(785);
        assert!(wrong.summary().is_err());
        let mut wrong = results();
        wrong.sim["accuracy"] = json!(0.8);
        assert!(wrong.summary().is_err());
    }
}
