//! `xnorflow inspect`

use super::{say, say_json};
use crate::cli::Inspect;
use crate::model;
use anyhow::Result;

pub(crate) fn run(options: &Inspect) -> Result<()> {
    let network = model::load(&options.model)?;
    let facts = emit::model_facts(&network, "");
    if options.json {
        let mut json = serde_json::to_value(&facts)?;
        json["input_rule"] = network.input.describe().into();
        json["supported"] = true.into();
        if let Some(object) = json.as_object_mut() {
            object.remove("sha256");
        }
        say_json(&json);
        return Ok(());
    }
    say(&format!("{}: takes {}", diagnostic::printable(&network.name), network.input.describe()));
    let headers = [
        "layer",
        "kind",
        "in",
        "out",
        "weights",
        "input",
        "output",
        "thresholds",
        "parameters",
        "MACs",
    ];
    let rows: Vec<Vec<String>> = facts
        .layers
        .iter()
        .map(|l| {
            vec![
                l.name.clone(),
                l.kind.clone(),
                l.inputs.to_string(),
                l.outputs.to_string(),
                l.weight.clone().unwrap_or_default(),
                l.input_type.clone(),
                l.output_type.clone(),
                l.thresholds.to_string(),
                report::thousands(l.parameters),
                report::thousands(l.macs),
            ]
        })
        .collect();
    say(report::table(&headers, &rows).trim_end());
    say(&format!(
        "\n{} parameters, {} multiply-accumulates a frame",
        report::thousands(facts.parameters),
        report::thousands(facts.macs)
    ));
    for edge in &facts.knife_edges {
        let range = if edge.first == edge.last {
            format!("accumulator {}", edge.first)
        } else {
            format!("accumulators {} to {}", edge.first, edge.last)
        };
        let outcome = if edge.output64 == edge.output32 {
            format!("gives {}", edge.output64)
        } else {
            format!("gives {} in float64 and {} in float32", edge.output64, edge.output32)
        };
        let (layer, channel, margin) = (&edge.layer, edge.channel, edge.margin);
        say(&format!(
            "knife edge: `{layer}` channel {channel}, {range} {outcome}, with a margin of {margin:.1e}"
        ));
    }
    Ok(())
}
