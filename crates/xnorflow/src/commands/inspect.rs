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
    let headers =
        ["layer", "kind", "in", "out", "weights", "input", "output", "thresholds", "parameters", "MACs"];
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
    say(&report::table(&headers, &rows));
    say(&format!(
        "\n{} weights, {} multiply-accumulates a frame",
        report::thousands(facts.parameters),
        report::thousands(facts.macs)
    ));
    for edge in &facts.knife_edges {
        say(&format!(
            "knife edge: `{}` channel {}, accumulator {} to {}: {} in float64, {} in float32",
            edge.layer, edge.channel, edge.first, edge.last, edge.output64, edge.output32
        ));
    }
    Ok(())
}
