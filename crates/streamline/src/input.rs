//! Arrays from files become the integers that the network takes.

use crate::network::{InputRule, InputSpec};
use diagnostic::{Code, Diagnostic, Result};
use ndarray::ArrayD;
use tensor::{ElementType, Map, npy::NpyArray};

/// How the user overrides the input convention.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct InputOptions {
    /// Pixels stand for themselves (`Unchanged`) or for themselves times a factor.
    pub rule: Option<InputRule>,
    /// The type of the integers, where the model does not say.
    pub element: Option<ElementType>,
}

impl InputOptions {
    /// The type and rule in force for a model that annotates its input so.
    ///
    /// # Errors
    /// `not-quantized` when the type has more than 8 bits.
    pub(crate) fn resolve(
        &self,
        annotation: Option<ElementType>,
    ) -> Result<(ElementType, InputRule)> {
        let declared = self.element.or(annotation);
        let element = declared.unwrap_or(ElementType::Uint(8));
        if element.bits() > 8 {
            let text = format!("the input has {} bits; at most 8 are supported", element.bits());
            return Err(Diagnostic::new(Code::NotQuantized, text));
        }
        let by_default =
            if declared.is_some() { InputRule::Unchanged } else { InputRule::PixelOver255 };
        Ok((element, self.rule.unwrap_or(by_default)))
    }
}

/// Frames of integers in stream order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    /// Integers, frame after frame.
    pub values: Vec<i64>,
    /// Integers of a frame.
    pub elements: usize,
}

impl Frames {
    /// Number of frames.
    pub fn len(&self) -> usize {
        self.values.len() / self.elements
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One frame.
    pub fn frame(&self, index: usize) -> &[i64] {
        &self.values[index * self.elements..][..self.elements]
    }

    /// The frames one after another.
    pub fn iter(&self) -> impl Iterator<Item = &[i64]> {
        self.values.chunks(self.elements)
    }

    /// The first `count` frames.
    #[must_use]
    pub fn first(mut self, count: usize) -> Self {
        self.values.truncate(count * self.elements);
        self
    }
}

impl InputSpec {
    /// One sentence that says what goes in.
    pub fn describe(&self) -> String {
        let shape = &self.shape;
        let taken = match self.rule {
            InputRule::PixelOver255 => {
                format!("{} pixels, value = float32(p) / 255, model layout {shape:?}", self.element)
            }
            InputRule::PixelTimes(f) => {
                format!("{} pixels, value = float32(p) * {f}, model layout {shape:?}", self.element)
            }
            InputRule::Unchanged => {
                format!("{} integers, unchanged, model layout {shape:?}", self.element)
            }
        };
        match &self.planes {
            None => taken,
            Some(planes) => format!("{taken}, {}", planes.describe()),
        }
    }

    /// Turns an array into integers in stream order.
    ///
    /// `uint8` arrays are pixels, `[N, H, W, C]`, or `[N, F]`; others are values in the model's own
    /// layout. A float must be exactly a value that some integer stands for.
    ///
    /// # Errors
    /// `input-shape`, `input-type` or `input-value`.
    pub fn frames(&self, array: &NpyArray) -> Result<Frames> {
        self.frames_of(array, array.shape())
    }

    /// [`frames`](Self::frames) of some rows of an array, whose own shape errors name.
    ///
    /// # Errors
    /// As for [`frames`](Self::frames).
    pub fn frames_of(&self, rows: &NpyArray, whole: &[usize]) -> Result<Frames> {
        match rows {
            NpyArray::U8(a) => self.pixels(a, whole),
            NpyArray::I8(a) => self.in_model_layout(a, whole, |v| Some(i64::from(v))),
            NpyArray::F32(a) => {
                let table: Vec<(u32, i64)> = self.float_table();
                self.in_model_layout(a, whole, move |v| {
                    let key = ordered(v);
                    table.binary_search_by_key(&key, |&(k, _)| k).ok().map(|i| table[i].1)
                })
            }
            NpyArray::I16(_)
            | NpyArray::I32(_)
            | NpyArray::I64(_)
            | NpyArray::U64(_)
            | NpyArray::F64(_) => {
                let text = format!("the input is an array of {}", rows.type_name());
                Err(Diagnostic::new(Code::InputType, text)
                    .hint("use uint8 pixels, or int8 or float32 values in the model's layout"))
            }
        }
    }

    fn pixels(&self, a: &ArrayD<u8>, whole: &[usize]) -> Result<Frames> {
        let Map { height, width, channels } = self.map;
        let frame: &[usize] = a.shape().get(1..).unwrap_or_default();
        let in_stream_order = frame == [height, width, channels]
            || (channels == 1 && frame == [height, width])
            || (self.map.pixels() == 1 && frame.iter().product::<usize>() == channels);
        if in_stream_order && !a.is_empty() {
            return self.checked(a.iter().map(|&v| i64::from(v)).collect());
        }
        // Flat pixels are in the model's order, which must be plain to see.
        let plain = self.shape.len() < 3 || channels == 1 || self.channels_last;
        if frame == [self.elements()] && plain {
            return self.in_model_layout(a, whole, |v| Some(i64::from(v)));
        }
        Err(self.wrong_shape(whole, "uint8", &self.pixel_shape()))
    }

    fn pixel_shape(&self) -> String {
        let Map { height, width, channels } = self.map;
        if self.map.pixels() == 1 {
            format!("[N, {channels}]")
        } else {
            format!("[N, {height}, {width}, {channels}]")
        }
    }

    fn in_model_layout<T: Copy + std::fmt::Display>(
        &self,
        a: &ArrayD<T>,
        whole: &[usize],
        to_integer: impl Fn(T) -> Option<i64>,
    ) -> Result<Frames> {
        let frame: &[usize] = a.shape().get(1..).unwrap_or_default();
        let flat = frame.len() == 1 && frame[0] == self.elements();
        if !(frame == self.shape || flat) || a.is_empty() {
            let dims: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
            let wanted = format!("[N, {}]", dims.join(", "));
            return Err(self.wrong_shape(whole, "int8 or float32", &wanted));
        }
        let standard = a.as_standard_layout();
        let flat: Vec<T> = standard.iter().copied().collect();
        let order = self.stream_to_model();
        let mut values = Vec::with_capacity(flat.len());
        for image in flat.chunks(self.elements()) {
            for &place in &order {
                let value = image[place];
                values.push(to_integer(value).ok_or_else(|| self.wrong_value(&value.to_string()))?);
            }
        }
        self.checked(values)
    }

    fn checked(&self, values: Vec<i64>) -> Result<Frames> {
        match values.iter().find(|&&v| !self.element.holds(v)) {
            Some(v) => Err(self.wrong_value(&v.to_string())),
            None => Ok(Frames { values, elements: self.elements() }),
        }
    }

    /// Every value of the type as a float, sorted.
    fn float_table(&self) -> Vec<(u32, i64)> {
        let all = (self.element.min()..=self.element.max()).filter(|&n| self.element.holds(n));
        let mut table: Vec<(u32, i64)> = all
            .map(|n| {
                let float = match self.rule {
                    InputRule::PixelOver255 => n as f32 / 255.0,
                    InputRule::PixelTimes(factor) => n as f32 * factor,
                    InputRule::Unchanged => n as f32,
                };
                (ordered(float), n)
            })
            .collect();
        table.sort_unstable();
        table
    }

    fn wrong_shape(&self, found: &[usize], kind: &str, wanted: &str) -> Diagnostic {
        let text =
            format!("the input array has shape {found:?}, but {kind} arrays must have {wanted}");
        Diagnostic::new(Code::InputShape, text)
            .node(self.name.clone())
            .hint("see `xnorflow inspect` for the rule in force")
    }

    fn wrong_value(&self, value: &str) -> Diagnostic {
        let text = format!("the input value {value} is not one that the network takes");
        Diagnostic::new(Code::InputValue, text)
            .node(self.name.clone())
            .hint(format!("it takes {}; see `--input-scale` and `--input-type`", self.describe()))
    }
}

/// A key for float equality in which -0 is 0.
fn ordered(value: f32) -> u32 {
    (value + 0.0).to_bits()
}
