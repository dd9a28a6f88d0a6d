//! What the accumulator of the hardware counts, and how the dot product follows from it.
//!
//! The unit counts ones: those of pairs of bits, one of the weight and one of the input, weighted by
//! their significance. Bipolar weights are combined with the input's bits by XNOR, all others by AND.
//! With w, x the values and `raw` the count, `dot = scale * raw + constant`:
//!
//! | weights | input | bits joined by | scale | constant |
//! |---|---|---|---|---|
//! | bipolar | bipolar | XNOR | 2 | -columns |
//! | bipolar | several bits | XNOR | 1 | -(significance of all bits) * (weights that are -1) |
//! | several bits | bipolar | AND | 2 | -(sum of weights) |
//! | several bits | several bits | AND | 1 | 0 |
//!
//! Adding whole elements gives the same count: joined with one weight bit, an element of bit planes
//! is itself, or inverted, or zero.

use super::Group;
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
    /// The encoding of one row of weights, on inputs whose bits come in `groups`.
    pub fn of(row: &[i64], weight: ElementType, input: ElementType, groups: &[Group]) -> Self {
        let bipolar_input = input == ElementType::Bipolar;
        let scale = if bipolar_input { 2 } else { 1 };
        let constant = match (uses_xnor(weight), bipolar_input) {
            (true, true) => -(row.len() as i64),
            (true, false) => {
                let negative = row.iter().filter(|&&w| w < 0).count() as i64;
                -groups.iter().map(|g| g.significance * g.bits as i64).sum::<i64>() * negative
            }
            (false, true) => -row.iter().sum::<i64>(),
            (false, false) => 0,
        };
        Self { scale, constant }
    }

    /// Where an accumulator of up to `columns` counts starts so that its sign says whether the dot
    /// product reaches `threshold`: minus the count that it takes, as far as counts go.
    pub fn start(self, threshold: i64, columns: i64) -> i64 {
        -self.count_threshold(threshold).clamp(0, columns + 1)
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
    use crate::mvu::groups;
    use dataflow::Dot;

    /// The bits of a value, group by group.
    fn bits(dot: Dot, input: ElementType, levels: (i64, i64), value: i64) -> Vec<bool> {
        match dot {
            Dot::Planes | Dot::Add | Dot::Carries | Dot::Wired => {
                (0..input.bits()).map(|b| input.encode(value) >> b & 1 == 1).collect()
            }
            Dot::Thermometer => {
                let above = (1..=levels.1).map(|level| value >= level);
                above.chain((1..=-levels.0).map(|level| value <= -level)).collect()
            }
        }
    }

    /// The weighted count of one product.
    fn count(weight: ElementType, w: i64, groups: &[Group], x: &[bool]) -> i64 {
        let mut total = 0;
        for (a, sa) in significance(weight).iter().enumerate() {
            let w = weight.encode(w) >> a & 1 == 1;
            let mut x = x.iter();
            for group in groups {
                let joined = |&&x: &&bool| if uses_xnor(weight) { w == x } else { w && x };
                let ones = x.by_ref().take(group.bits).filter(joined).count() as i64;
                total += sa * group.significance * ones;
            }
        }
        total
    }

    #[test]
    fn counts_give_the_dot_product() {
        let types = [
            ElementType::Bipolar,
            ElementType::Uint(1),
            ElementType::Uint(3),
            ElementType::Int(2),
            ElementType::Int(4),
        ];
        let pairs = types.iter().flat_map(|&w| types.map(|x| (w, x)));
        for ((weight, input), dot) in pairs.flat_map(|p| Dot::ALL.map(|dot| (p, dot))) {
            if !dot.takes(weight, input) {
                continue;
            }
            let values = |t: ElementType, n: u64| -> Vec<i64> {
                (0..9).map(|i| t.decode(n.wrapping_mul(i * i + 3) >> 2)).collect()
            };
            let levels = (input.min(), input.max());
            let groups = groups(dot, input, levels);
            for seed in 1..40 {
                let (w, x) = (values(weight, seed), values(input, seed * 77));
                let one = |(&w, &x): (&i64, &i64)| {
                    count(weight, w, &groups, &bits(dot, input, levels, x))
                };
                let raw: i64 = w.iter().zip(&x).map(one).sum();
                let encoding = Encoding::of(&w, weight, input, &groups);
                let product: i64 = w.iter().zip(&x).map(|(w, x)| w * x).sum();
                let found = encoding.scale * raw + encoding.constant;
                assert_eq!(found, product, "{weight} {input} {dot:?}");
                assert!(raw >= encoding.count_threshold(product));
                assert!(raw < encoding.count_threshold(product + 1));
            }
        }
    }
}
