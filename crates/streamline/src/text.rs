//! The text form: TOML for everything but the arrays, which are `.npy` files beside it.

use crate::network::{Dense, Layer, LayerOp, Padding, Streamlined, Thresholds};
use diagnostic::{Code, Diagnostic, Result};
use ndarray::{Array2, ArrayD, ArrayView1, Ix2};
use tensor::{Map, Window, npy};

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
        let text = String::from_utf8(read(TEXT)?).map_err(|_| bad("not text".into()))?;
        let mut network: Self = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
        let mut inputs = network.input.elements();
        for layer in &mut network.layers {
            load_layer(layer, inputs, read)?;
            inputs = layer.elements();
        }
        Ok(network)
    }
}

fn bad(text: String) -> Diagnostic {
    Diagnostic::new(Code::DesignFolder, text).from(TEXT)
}

/// Reads the arrays of a layer that takes `inputs` elements, and checks them and its parameters.
fn load_layer(
    layer: &mut Layer,
    inputs: usize,
    read: &dyn Fn(&str) -> Result<Vec<u8>>,
) -> Result<()> {
    let (name, element, map) = (layer.name.clone(), layer.element, layer.map);
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
    let malformed = |what: &str| Err(bad(format!("the {what} of `{name}` are malformed")));
    let thresholds = |t: &mut Thresholds, allowed: &[usize]| -> Result<()> {
        t.values = array("thresholds")?;
        let rises = |r: ArrayView1<'_, i64>| r.windows(2).into_iter().all(|w| w[0] <= w[1]);
        if !t.values.rows().into_iter().all(rises) || !allowed.contains(&t.values.nrows()) {
            return malformed("thresholds");
        }
        let held = (0..=t.values.ncols() as i64).all(|level| element.holds(t.value(level)));
        if held { Ok(()) } else { Err(bad(format!("the levels of `{name}` are no {element}"))) }
    };
    let dense = |d: &mut Dense, rows: usize, columns: usize, classes: usize| -> Result<()> {
        d.weights = array("weights")?;
        let holds = d.weights.iter().all(|&w| d.weight.holds(w));
        if d.weights.dim() != (rows, columns) || !holds {
            return malformed("weights");
        }
        d.thresholds.as_mut().map_or(Ok(()), |t| thresholds(t, &[rows * classes]))
    };
    let over = |input: Map, window: &Window, channels: usize| -> Result<()> {
        let all = [window.kernel, window.stride, window.dilation];
        let small = all.iter().flatten().all(|n| (1..=1 << 20).contains(n))
            && window.before.iter().chain(&window.after).all(|n| *n <= 1 << 20)
            && input.elements() == inputs;
        if small && window.over(input, channels) == Some(map) {
            Ok(())
        } else {
            malformed("windows")
        }
    };
    match &mut layer.op {
        LayerOp::Threshold(t) => thresholds(t, &[1, map.channels, map.elements()]),
        LayerOp::Dense(d) => dense(d, map.elements(), inputs, 1),
        LayerOp::Conv(conv) => {
            let rows = map.channels;
            over(conv.input, &conv.window, rows)?;
            let channels = conv.input.channels;
            let groups = conv.groups;
            if groups == 0 || channels % groups != 0 || rows % groups != 0 {
                return malformed("groups");
            }
            if let Padding::Value(surround) = &conv.padding
                && !surround.fits(channels)
            {
                return malformed("padding values");
            }
            let (columns, classes) =
                (conv.window.taps() * channels / groups, conv.borders().count());
            dense(&mut conv.dense, rows, columns, classes)
        }
        LayerOp::Pool(pool) => over(pool.input, &pool.window, pool.input.channels),
        LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => Ok(()),
    }
}

fn arrays(layer: &Layer) -> Vec<(&'static str, &Array2<i64>)> {
    if let LayerOp::Threshold(t) = &layer.op {
        return vec![("thresholds", &t.values)];
    }
    let Some(dense) = layer.dense() else { return Vec::new() };
    let thresholds = dense.thresholds.iter().map(|t| ("thresholds", &t.values));
    std::iter::once(("weights", &dense.weights)).chain(thresholds).collect()
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
