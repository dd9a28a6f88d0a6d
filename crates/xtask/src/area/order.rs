//! In which order the inputs of a table are gone through.
//!
//! Which of several equal partners a look-up table shares its site with changes how many pairs are found
//! later, by one or two in a thousand. The outside instrument that counts in the same way keeps inputs in
//! sets of Python; to count the same they are gone through as CPython goes through a set of whole numbers.

/// Places of a set with few elements, and of one with five to twelve.
const FEW: usize = 8;
const MORE: usize = 32;

/// Elements up to which there are few.
const MOST_OF_FEW: usize = 4;

/// How far a place is looked for in a row.
const IN_A_ROW: usize = 9;

/// The different numbers, at most twelve, in the order of CPython's set of them.
pub(super) fn table_order(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut places = vec![None; FEW];
    let mut count = 0;
    for number in numbers {
        let place = place_of(&places, number);
        if places[place].is_none() {
            places[place] = Some(number);
            count += 1;
        }
        if count > MOST_OF_FEW && places.len() == FEW {
            let before = std::mem::replace(&mut places, vec![None; MORE]);
            for number in before.into_iter().flatten() {
                let place = place_of(&places, number);
                places[place] = Some(number);
            }
        }
    }
    places.into_iter().flatten().collect()
}

/// Where a number is, or would go.
fn place_of(places: &[Option<u64>], number: u64) -> usize {
    let mask = places.len() - 1;
    let suits = |place: &usize| places[*place].is_none_or(|known| known == number);
    let (mut at, mut rest) = (number as usize & mask, number as usize);
    loop {
        let last = if at + IN_A_ROW <= mask { at + IN_A_ROW } else { at };
        if let Some(place) = (at..=last).find(suits) {
            return place;
        }
        rest >>= 5;
        at = (at * 5 + 1 + rest) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::table_order;

    // What `list(frozenset(...))` gives.
    #[test]
    fn orders_are_those_of_python() {
        let order = |numbers: &[u64]| table_order(numbers.iter().copied());
        assert_eq!(order(&[3, 3751, 2480]), [2480, 3, 3751]);
        assert_eq!(order(&[4, 2215, 6, 3555]), [3555, 4, 6, 2215]);
        assert_eq!(order(&[0, 2, 3195, 2436, 368]), [0, 2, 2436, 368, 3195]);
        assert_eq!(order(&[3948, 146, 1056, 1725, 2187]), [1056, 2187, 3948, 146, 1725]);
        assert_eq!(order(&[168, 136, 160, 1, 4]), [160, 1, 4, 168, 136]);
        assert_eq!(order(&[3497, 1409, 82, 6, 360, 136, 6]), [1409, 6, 360, 3497, 136, 82]);
    }
}
