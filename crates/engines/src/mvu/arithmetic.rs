//! What the accumulator of the hardware counts, and how the dot product follows from it.
//!
//! The unit counts ones: popcounts of pairs of bit planes, weighted by the planes' significance.
//! Bipolar weights are combined with the input's planes by XNOR, all others by AND. With w, x the
//! values and `raw` the count, `dot = scale * raw + constant`:
//!
//! | weights | input | planes joined by | scale | constant |
//! |---|---|---|---|---|
//! | bipolar | bipolar | XNOR | 2 | -columns |
//! | bipolar | several bits | XNOR | 1 | -(significance of all planes) * (weights that are -1) |
//! | several bits | bipolar | AND | 2 | -(sum of weights) |
//! | several bits | several bits | AND | 1 | 0 |

use tensor::ElementType;

/// How the dot product of a row follows from its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// Factor of the count.
    pub scale: i64,
    /// Added afterwards.
    pub constant: i64,
}

/// Whether planes are joined by XNOR (bipolar weights) rather than AND.
pub fn uses_xnor(weight: ElementType) -> bool {
    weight == ElementType::Bipolar
}

/// The significance of each bit plane, negative for a sign bit; 1 for bipolar.
pub fn significance(element: ElementType) -> Vec<i64> {
    let bits = element.bits();
    let value = |bit: u32| {
        let negative = element.is_signed() && bit + 1 == bits;
        if negative { -(1i64 << bit) } else { 1i64 << bit }
    };
    (0..bits).map(value).collect()
}

impl Encoding {
    /// The encoding of one row of weights.
    pub fn of(row: &[i64], weight: ElementType, input: ElementType) -> Self {
        let bipolar_input = input == ElementType::Bipolar;
        let scale = if bipolar_input { 2 } else { 1 };
        let constant = match (uses_xnor(weight), bipolar_input) {
            (true, true) => -(row.len() as i64),
            (true, false) => {
                let negative = row.iter().filter(|&&w| w < 0).count() as i64;
                -significance(input).iter().sum::<i64>() * negative
            }
            (false, true) => -row.iter().sum::<i64>(),
            (false, false) => 0,
        };
        Self { scale, constant }
    }

    /// The smallest count whose dot product reaches `threshold`.
    pub fn count_threshold(self, threshold: i64) -> i64 {
        let distance = threshold - self.constant;
        distance.div_euclid(self.scale) + i64::from(distance.rem_euclid(self.scale) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_give_the_dot_product() {
        let types = [
            ElementType::Bipolar,
            ElementType::Uint(1),
            ElementType::Uint(3),
            ElementType::Int(2),
            ElementType::Int(4),
        ];
        for weight in types {
            for input in types {
                let values = |t: ElementType, n: u64| -> Vec<i64> {
                    (0..9).map(|i| t.decode(n.wrapping_mul(i * i + 3) >> 2)).collect()
                };
                for seed in 1..40 {
                    let (w, x) = (values(weight, seed), values(input, seed * 77));
                    let bit = |t: ElementType, v: i64, b: usize| (t.encode(v) >> b & 1) as i64;
                    let mut raw = 0;
                    for (a, sa) in significance(weight).iter().enumerate() {
                        for (b, sb) in significance(input).iter().enumerate() {
                            let ones: i64 = w
                                .iter()
                                .zip(&x)
                                .map(|(&w, &x)| {
                                    let (w, x) = (bit(weight, w, a), bit(input, x, b));
                                    if uses_xnor(weight) { 1 - (w ^ x) } else { w & x }
                                })
                                .sum();
                            raw += sa * sb * ones;
                        }
                    }
                    let encoding = Encoding::of(&w, weight, input);
                    let dot: i64 = w.iter().zip(&x).map(|(w, x)| w * x).sum();
                    assert_eq!(encoding.scale * raw + encoding.constant, dot, "{weight} {input}");
                    assert!(raw >= encoding.count_threshold(dot));
                    assert!(raw < encoding.count_threshold(dot + 1));
                }
            }
        }
    }
}
