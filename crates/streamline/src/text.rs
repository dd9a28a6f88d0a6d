//! The text form: TOML for everything but the arrays, which are `.npy` files beside it.

use crate::network::{Layer, LayerOp, Streamlined, Thresholds};
use diagnostic::{Code, Diagnostic, Result};
use ndarray::{Array2, ArrayD, Ix2};
use tensor::npy;

/// Name of the text file.
const TEXT: &str = "streamlined.toml";

impl Streamlined {
    /// The files that hold this network: names and contents.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let text = toml::to_string(self).expect("plain data has a text form");
        let mut files = vec![(TEXT.to_string(), text.into_bytes())];
        for layer in &self.layers {
            for (kind, array) in arrays(layer) {
                let name = format!("{}.{kind}.npy", layer.name);
                let array: ArrayD<i64> = array.clone().into_dyn();
                files.push((name, npy::to_bytes(&array)));
            }
        }
        files
    }

    /// Reads what [`files`](Self::files) wrote through `read`, and checks it.
    ///
    /// # Errors
    /// `design-folder` when a file is missing, malformed or of the wrong shape.
    pub fn load(read: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let bad = |text: String| Diagnostic::new(Code::DesignFolder, text).from(TEXT);
        let text = String::from_utf8(read(TEXT)?).map_err(|_| bad("not text".into()))?;
        let mut network: Self = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
        let mut inputs = network.input.elements();
        for layer in &mut network.layers {
            let rows = layer.elements;
            let name = layer.name.clone();
            let element = layer.element;
            let levels = |t: &Thresholds| -> Result<()> {
                let all = (0..=t.values.ncols() as i64).all(|level| element.holds(t.value(level)));
                let refuse = || bad(format!("the levels of `{name}` are no {element}"));
                all.then_some(()).ok_or_else(refuse)
            };
            let array = |kind: &str| -> Result<Array2<i64>> {
                let file = format!("{name}.{kind}.npy");
                let array = npy::parse(&read(&file)?)?
                    .to_i64()
                    .and_then(|a| a.into_dimensionality::<Ix2>().ok())
                    .filter(|a| !a.is_empty());
                array.ok_or_else(|| {
                    Diagnostic::new(Code::DesignFolder, "not a matrix of integers").from(file)
                })
            };
            let thresholds = |allowed: &[usize]| -> Result<Array2<i64>> {
                let t = array("thresholds")?;
                let sorted =
                    t.rows().into_iter().all(|r| r.windows(2).into_iter().all(|w| w[0] <= w[1]));
                if sorted && allowed.contains(&t.nrows()) {
                    Ok(t)
                } else {
                    Err(bad(format!("the thresholds of `{name}` are malformed")))
                }
            };
            match &mut layer.op {
                LayerOp::Threshold(t) => {
                    t.values = thresholds(&[1, rows])?;
                    levels(t)?;
                }
                LayerOp::Dense(d) => {
                    d.weights = array("weights")?;
                    let holds = d.weights.iter().all(|&w| d.weight.holds(w));
                    if d.weights.dim() != (rows, inputs) || !holds {
                        return Err(bad(format!("the weights of `{name}` are malformed")));
                    }
                    if let Some(t) = &mut d.thresholds {
                        t.values = thresholds(&[rows])?;
                        levels(t)?;
                    }
                }
                LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => {}
            }
            inputs = rows;
        }
        Ok(network)
    }
}

fn arrays(layer: &Layer) -> Vec<(&'static str, &Array2<i64>)> {
    match &layer.op {
        LayerOp::Threshold(t) => vec![("thresholds", &t.values)],
        LayerOp::Dense(d) => {
            let thresholds = d.thresholds.iter().map(|t| ("thresholds", &t.values));
            std::iter::once(("weights", &d.weights)).chain(thresholds).collect()
        }
        LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => Vec::new(),
    }
}

/// Operators as JSON text inside the TOML: their nested arrays have no readable TOML form.
pub(crate) mod json {
    use graph::Elementwise;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(ops: &[Elementwise], s: S) -> Result<S::Ok, S::Error> {
        let texts = ops.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        s.collect_seq(texts.map_err(serde::ser::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D>(d: D) -> Result<Vec<Elementwise>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(d)?;
        texts.iter().map(|t| serde_json::from_str(t).map_err(serde::de::Error::custom)).collect()
    }
}
