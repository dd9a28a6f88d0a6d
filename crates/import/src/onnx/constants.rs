//! Constant tensors: decoded from the file, or computed while folding.

use super::proto::{TensorProto, data_type};
use diagnostic::{Code, Diagnostic, Result};
use graph::Param;
use ndarray::{ArrayD, IxDyn};

/// No tensor of a model may have more elements than this.
pub(crate) const MAX_ELEMENTS: usize = 1 << 28;

/// The elements of a constant. Booleans are integers 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Float(ArrayD<f32>),
    Int(ArrayD<i64>),
}

/// Applies the same expression to the array of either element type.
macro_rules! each {
    ($data:expr, $array:ident => $body:expr) => {
        match $data {
            $crate::onnx::constants::Data::Float($array) => {
                $crate::onnx::constants::Data::Float($body)
            }
            $crate::onnx::constants::Data::Int($array) => $crate::onnx::constants::Data::Int($body),
        }
    };
}
pub(crate) use each;

/// The integers that a constant was quantized to, and the scale of each (or one for all).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantized {
    pub(crate) integers: ArrayD<i64>,
    pub(crate) scale: ArrayD<f32>,
}

/// A constant tensor; after a quantizer it also knows its integers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constant {
    pub(crate) data: Data,
    pub(crate) quantized: Option<Quantized>,
}

impl Constant {
    pub(crate) fn float(array: ArrayD<f32>) -> Self {
        Self { data: Data::Float(array), quantized: None }
    }

    pub(crate) fn int(array: ArrayD<i64>) -> Self {
        Self { data: Data::Int(array), quantized: None }
    }

    /// A vector of integers, as `Shape` gives it.
    pub(crate) fn int_vector(values: Vec<i64>) -> Self {
        Self::int(ndarray::Array1::from(values).into_dyn())
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match &self.data {
            Data::Float(a) => a.shape(),
            Data::Int(a) => a.shape(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// The elements as float32 (integers are rounded to it).
    pub(crate) fn floats(&self) -> ArrayD<f32> {
        match &self.data {
            Data::Float(a) => a.clone(),
            Data::Int(a) => a.mapv(|v| v as f32),
        }
    }

    pub(crate) fn param(&self) -> Param {
        Param(self.floats())
    }

    /// The only element, as float32.
    pub(crate) fn scalar(&self) -> Option<f32> {
        if self.len() == 1 { self.floats().iter().next().copied() } else { None }
    }

    /// The elements in row-major order, when they are of an integer type.
    pub(crate) fn integers(&self) -> Option<Vec<i64>> {
        match &self.data {
            Data::Float(_) => None,
            Data::Int(a) => Some(a.iter().copied().collect()),
        }
    }

    /// The same row-major elements in another shape of the same size.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Result<Self> {
        let data = each!(&self.data, a => reshape(a, shape)?);
        let quantized = match &self.quantized {
            Some(q) => Some(Quantized {
                integers: reshape(&q.integers, shape)?,
                scale: if q.scale.len() == 1 { q.scale.clone() } else { reshape(&q.scale, shape)? },
            }),
            None => None,
        };
        Ok(Self { data, quantized })
    }

    /// Axes permuted; `permutation` is one of `0..rank`.
    pub(crate) fn transposed(&self, permutation: &[usize]) -> Self {
        let data = each!(&self.data, a => permute(a, permutation));
        let quantized = self.quantized.as_ref().map(|q| Quantized {
            integers: permute(&q.integers, permutation),
            scale: if q.scale.len() == 1 {
                q.scale.clone()
            } else {
                permute(&q.scale, permutation)
            },
        });
        Self { data, quantized }
    }
}

fn reshape<T: Clone>(array: &ArrayD<T>, shape: &[usize]) -> Result<ArrayD<T>> {
    let values: Vec<T> = array.iter().cloned().collect();
    array_of(shape, values)
}

fn permute<T: Clone>(array: &ArrayD<T>, permutation: &[usize]) -> ArrayD<T> {
    let view = array.view().permuted_axes(IxDyn(permutation));
    view.as_standard_layout().into_owned()
}

/// No tensor of a network has more axes than this.
const MAX_AXES: usize = 32;

/// An array from its shape and row-major elements.
pub(crate) fn array_of<T>(shape: &[usize], values: Vec<T>) -> Result<ArrayD<T>> {
    let count = values.len();
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|_| {
        Diagnostic::new(
            Code::ModelInvalid,
            format!("{count} elements do not fill a tensor of shape {shape:?}"),
        )
    })
}

/// The product of the extents, when it is not absurd.
pub(crate) fn elements(shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
    // Extents next to a zero must not overflow either: arrays cannot have such shapes.
    let nonzero = shape.iter().filter(|&&e| e > 0).try_fold(1usize, |n, &e| n.checked_mul(e));
    match (count, nonzero) {
        (Some(count), Some(nonzero)) if nonzero <= MAX_ELEMENTS && shape.len() <= MAX_AXES => {
            Ok(count)
        }
        _ => Err(Diagnostic::new(
            Code::ModelInvalid,
            format!(
                "a tensor of {} axes, {:?}..., is too large",
                shape.len(),
                &shape[..shape.len().min(8)]
            ),
        )),
    }
}

/// Decodes a tensor of the file.
///
/// # Errors
/// `model-invalid` when shape and data disagree, `unsupported-attribute` for external data and for
/// element types that are not numbers.
pub(crate) fn decode(tensor: &TensorProto) -> Result<Constant> {
    let name = &tensor.name;
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        let text = format!("the tensor `{name}` is kept in another file");
        return Err(Diagnostic::new(Code::UnsupportedAttribute, text).hint(
            "save the model in one file: onnx.save(model, path, save_as_external_data=False)",
        ));
    }
    let shape: Option<Vec<usize>> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let shape = shape.ok_or_else(|| {
        let text = format!("the tensor `{name}` has a negative extent: {:?}", tensor.dims);
        Diagnostic::new(Code::ModelInvalid, text)
    })?;
    let count = elements(&shape)?;
    let values = Values { tensor, count };
    match tensor.data_type {
        data_type::FLOAT => values.float(|b| f32::from_le_bytes(*b), &tensor.float_data, |&v| v),
        data_type::DOUBLE => {
            values.float(|b| f64::from_le_bytes(*b) as f32, &tensor.double_data, |&v| v as f32)
        }
        data_type::FLOAT16 => values.float(
            |b| half_to_f32(u16::from_le_bytes(*b)),
            &tensor.int32_data,
            |&v| half_to_f32(v as u16),
        ),
        data_type::BFLOAT16 => values.float(
            |b| f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16),
            &tensor.int32_data,
            |&v| f32::from_bits(u32::from(v as u16) << 16),
        ),
        data_type::UINT8 => values.int(|[b]| i64::from(*b), &tensor.int32_data, |&v| v.into()),
        data_type::BOOL => {
            values.int(|[b]| i64::from(*b != 0), &tensor.int32_data, |&v| i64::from(v != 0))
        }
        data_type::INT8 => {
            values.int(|b| i8::from_le_bytes(*b).into(), &tensor.int32_data, |&v| v.into())
        }
        data_type::UINT16 => {
            values.int(|b| u16::from_le_bytes(*b).into(), &tensor.int32_data, |&v| v.into())
        }
        data_type::INT16 => {
            values.int(|b| i16::from_le_bytes(*b).into(), &tensor.int32_data, |&v| v.into())
        }
        data_type::INT32 => {
            values.int(|b| i32::from_le_bytes(*b).into(), &tensor.int32_data, |&v| v.into())
        }
        data_type::UINT32 => {
            values.int(|b| u32::from_le_bytes(*b).into(), &tensor.uint64_data, |&v| saturate(v))
        }
        data_type::INT64 => values.int(|b| i64::from_le_bytes(*b), &tensor.int64_data, |&v| v),
        data_type::UINT64 => values.int(
            |b| saturate(u64::from_le_bytes(*b)),
            &tensor.uint64_data,
            |&v| saturate(v),
        ),
        other => {
            let text = format!("the tensor `{name}` has element type {other}, which is not read");
            Err(Diagnostic::new(Code::UnsupportedAttribute, text).hint(
                "store constants as float32, float64, float16, bfloat16, bool, or integers of 8 to 64 bits",
            ))
        }
    }
    .and_then(|data| {
        let data = each!(data, flat => reshape(&flat, &shape)?);
        Ok(Constant { data, quantized: None })
    })
}

fn saturate(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The encoded elements of a tensor, as raw bytes or in the list of its type.
struct Values<'a> {
    tensor: &'a TensorProto,
    count: usize,
}

impl Values<'_> {
    fn float<T, const N: usize>(
        &self,
        raw: impl Fn(&[u8; N]) -> f32,
        list: &[T],
        item: impl Fn(&T) -> f32,
    ) -> Result<Data> {
        Ok(Data::Float(ndarray::Array1::from(self.read(raw, list, item)?).into_dyn()))
    }

    fn int<T, const N: usize>(
        &self,
        raw: impl Fn(&[u8; N]) -> i64,
        list: &[T],
        item: impl Fn(&T) -> i64,
    ) -> Result<Data> {
        Ok(Data::Int(ndarray::Array1::from(self.read(raw, list, item)?).into_dyn()))
    }

    fn read<T, V, const N: usize>(
        &self,
        raw: impl Fn(&[u8; N]) -> V,
        list: &[T],
        item: impl Fn(&T) -> V,
    ) -> Result<Vec<V>> {
        let bytes = &self.tensor.raw_data;
        let values: Vec<V> = if bytes.is_empty() {
            list.iter().map(item).collect()
        } else if bytes.len().is_multiple_of(N) {
            bytes.as_chunks::<N>().0.iter().map(raw).collect()
        } else {
            Vec::new()
        };
        if values.len() == self.count {
            return Ok(values);
        }
        let found = if bytes.is_empty() {
            format!("{} elements", list.len())
        } else {
            format!("{} bytes", bytes.len())
        };
        let text = format!(
            "the tensor `{}` of shape {:?} holds {found} of data",
            self.tensor.name, self.tensor.dims
        );
        Err(Diagnostic::new(Code::ModelInvalid, text))
    }
}

/// The exact value of an IEEE half-precision number.
fn half_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_exact() {
        let cases = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 2f32.powi(-24)),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0x3555, 0.333_251_95),
        ];
        for (bits, value) in cases {
            assert_eq!(half_to_f32(bits), value);
        }
        assert!(half_to_f32(0x8000).is_sign_negative() && half_to_f32(0x7e00).is_nan());
    }

    #[test]
    fn both_encodings_of_every_type_agree() {
        let ints = |data_type, raw: &[u8]| {
            let t = TensorProto {
                dims: vec![2],
                data_type,
                raw_data: raw.to_vec(),
                ..Default::default()
            };
            decode(&t).unwrap().integers().unwrap()
        };
        assert_eq!(ints(data_type::UINT8, &[255, 1]), [255, 1]);
        assert_eq!(ints(data_type::INT8, &[255, 1]), [-1, 1]);
        assert_eq!(ints(data_type::BOOL, &[7, 0]), [1, 0]);
        assert_eq!(ints(data_type::INT16, &[0xfe, 0xff, 2, 0]), [-2, 2]);
        assert_eq!(
            ints(data_type::UINT32, &[0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0]),
            [0xffff_ffff, 2]
        );
        let listed = TensorProto {
            dims: vec![2],
            data_type: data_type::INT8,
            int32_data: vec![-1, 1],
            ..Default::default()
        };
        assert_eq!(decode(&listed).unwrap().integers().unwrap(), [-1, 1]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let tensor = |dims: &[i64]| TensorProto {
            dims: dims.to_vec(),
            data_type: data_type::FLOAT,
            raw_data: vec![0; 8],
            ..Default::default()
        };
        for dims in [&[3][..], &[-1, 2], &[i64::MAX, i64::MAX], &[0, i64::MAX, i64::MAX]] {
            assert_eq!(decode(&tensor(dims)).unwrap_err().code, Code::ModelInvalid, "{dims:?}");
        }
        assert_eq!(decode(&tensor(&[2, 1])).unwrap().shape(), [2, 1]);
    }
}
