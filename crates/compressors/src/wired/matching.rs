//! Which neurons share a group: similar ones, whose inputs fall into fewer classes.

/// The neurons in an order in which similar ones are neighbours, by pairs, pairs of pairs and pairs
/// of these.
///
/// Greedy: the most similar pairs first. Weights are -1, 0 and 1; opposite neurons are as good as
/// equal ones.
pub(super) fn order(weights: &[&[i8]]) -> Vec<usize> {
    let likeness = Likeness::of(weights);
    let mut bundles: Vec<Vec<usize>> = (0..weights.len()).map(|neuron| vec![neuron]).collect();
    for _ in 0..3 {
        let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
        for (a, left) in bundles.iter().enumerate() {
            for (b, right) in bundles.iter().enumerate().skip(a + 1) {
                let all = left.iter().flat_map(|l| right.iter().map(|r| likeness.get(*l, *r)));
                pairs.push((all.sum(), a, b));
            }
        }
        pairs.sort_by_key(|(likeness, a, b)| (std::cmp::Reverse(*likeness), *a, *b));
        let mut taken = vec![false; bundles.len()];
        let mut joined = Vec::new();
        for (_, a, b) in pairs {
            if !taken[a] && !taken[b] {
                (taken[a], taken[b]) = (true, true);
                joined.push([bundles[a].clone(), bundles[b].clone()].concat());
            }
        }
        // An odd one stays alone, behind the others.
        let alone = bundles.into_iter().zip(taken).filter_map(|(b, taken)| (!taken).then_some(b));
        joined.extend(alone);
        bundles = joined;
    }
    bundles.concat()
}

/// How far any two neurons are alike.
struct Likeness {
    neurons: usize,
    values: Vec<u64>,
}

impl Likeness {
    fn of(weights: &[&[i8]]) -> Self {
        let masks: Vec<[Vec<u64>; 2]> = weights.iter().map(|w| [mask(w, 1), mask(w, -1)]).collect();
        let ones = |a: &[u64], b: &[u64]| -> i64 {
            a.iter().zip(b).map(|(a, b)| i64::from((a & b).count_ones())).sum()
        };
        let mut values = Vec::with_capacity(weights.len() * weights.len());
        for [plus, minus] in &masks {
            for [other_plus, other_minus] in &masks {
                let same = ones(plus, other_plus) + ones(minus, other_minus);
                let opposite = ones(plus, other_minus) + ones(minus, other_plus);
                values.push((same - opposite).unsigned_abs());
            }
        }
        Self { neurons: weights.len(), values }
    }

    fn get(&self, a: usize, b: usize) -> u64 {
        self.values[a * self.neurons + b]
    }
}

/// The inputs with a weight, one bit each.
fn mask(weights: &[i8], weight: i8) -> Vec<u64> {
    let word = |chunk: &[i8]| {
        chunk.iter().enumerate().fold(0, |w, (i, v)| w | u64::from(*v == weight) << i)
    };
    weights.chunks(64).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_and_opposite_neurons_are_neighbours() {
        let rows: [&[i8]; 4] =
            [&[1, 1, 1, 1, 1], &[1, -1, 1, -1, 1], &[-1, -1, -1, -1, -1], &[1, -1, 1, -1, 0]];
        assert_eq!(order(&rows), [0, 2, 1, 3]);
    }
}
