//! Trees of many heaps: proven, evaluated, and the proof itself tested by mutation.

use compressors::{Bit, Flaw, Heap, Kind, Netlist, Search};
use proptest::prelude::*;

const QUICK: Search = Search { runs: 20, seed: 1 };

/// Reproducible words.
fn words(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// Whether the netlist and the heap agree on some random vectors.
fn agrees(heap: &Heap, netlist: &Netlist, seed: u64) -> bool {
    let mut word = words(seed);
    (0..4).all(|round| {
        let input = |_| match round {
            0 => word() & word(),
            1 => word() | word(),
            _ => word(),
        };
        let inputs: Vec<u64> = (0..netlist.inputs).map(input).collect();
        let sum = netlist.evaluate(&inputs);
        let value = |v: usize| {
            sum.iter().enumerate().fold(0, |value, (c, word)| value | (word >> v & 1) << c)
        };
        heap.sums(&inputs) == (0..64).map(value).collect::<Vec<_>>()
    })
}

#[test]
fn popcounts_of_all_small_sizes() {
    for inputs in 0..=80 {
        let heap = Heap::popcount(inputs);
        let netlist = heap.compress(&QUICK);
        assert_eq!(netlist.check(&heap), Ok(()), "{inputs}");
        assert!(agrees(&heap, &netlist, inputs as u64), "{inputs}");
    }
}

/// At most 0.52 tables for each bit, as the issue of the popcount aims at.
#[test]
fn popcounts_take_half_a_table_for_each_bit() {
    for (inputs, most) in [(64, 34), (144, 74), (256, 132), (576, 292)] {
        let heap = Heap::popcount(inputs);
        let netlist = heap.compress(&Search::default());
        assert_eq!(netlist.check(&heap), Ok(()));
        assert!(agrees(&heap, &netlist, 1));
        let found = [
            netlist.luts(),
            netlist.registers(),
            netlist.carries(4),
            netlist.latency(),
            netlist.count(Kind::FullAdder),
        ];
        println!("{inputs}: luts, registers, carries, stages, full adders {found:?}");
        assert!(netlist.luts() <= most, "{inputs} bits take {} tables", netlist.luts());
    }
}

/// Six bits in the top column fill its table: none is free for what comes from below.
#[test]
fn a_full_top_column_is_compressed_first() {
    let mut heap = Heap::new(2);
    for column in [0, 0, 0, 0, 1, 1, 1, 1, 1, 1] {
        let wire = heap.input();
        heap.add(column, wire.into());
    }
    let netlist = heap.compress(&QUICK);
    assert_eq!(netlist.check(&heap), Ok(()));
    assert!(agrees(&heap, &netlist, 1) && netlist.latency() > 1);
}

/// The accumulator of a popcount is a row of the last chain: no adder apart.
#[test]
fn an_accumulator_costs_little() {
    let mut heap = Heap::new(10);
    for _ in 0..144 {
        let wire = heap.input();
        heap.add(0, wire.into());
    }
    let before = heap.compress(&Search::default()).luts();
    for column in 0..10 {
        let wire = heap.late_input();
        heap.add(column, wire.into());
    }
    let netlist = heap.compress(&Search::default());
    assert_eq!(netlist.check(&heap), Ok(()));
    println!("144 bits: {before} tables, with an accumulator of 10 bits {}", netlist.luts());
    assert!(netlist.luts() < before + 10);
}

#[test]
fn the_same_search_finds_the_same_tree() {
    let heap = Heap::popcount(100);
    assert_eq!(heap.compress(&QUICK), heap.compress(&QUICK));
}

/// Heaps of any shape: literals of both kinds, wires of several weights, constants,
/// late bits.
fn heaps() -> impl Strategy<Value = Heap> {
    let bits = prop::collection::vec((0..40usize, 0..9usize, any::<bool>()), 0..120);
    (1..9usize, bits, any::<u64>(), any::<u8>()).prop_map(|(width, bits, constant, late)| {
        let mut heap = Heap::new(width);
        let wires: Vec<_> = (0..40).map(|_| heap.input()).collect();
        for (wire, column, inverted) in bits {
            heap.add(column % (width + 1), Bit { wire: Some(wires[wire]), inverted });
        }
        heap.add_constant(constant);
        for column in (0..width).filter(|column| late >> column & 1 == 1) {
            let wire = heap.late_input();
            heap.add(column, Bit { wire: Some(wire), inverted: constant >> column & 1 == 1 });
        }
        heap
    })
}

proptest! {
    #[test]
    fn any_heap(heap in heaps(), seed in any::<u64>()) {
        let netlist = heap.compress(&Search { runs: 5, seed });
        prop_assert_eq!(netlist.check(&heap), Ok(()));
        prop_assert!(agrees(&heap, &netlist, seed));
    }
}

/// A heap whose tree has counters of all kinds, and its tree.
fn mutant_base() -> (Heap, Netlist) {
    let mut heap = Heap::new(7);
    for index in 0..40 {
        let wire = heap.input();
        heap.add(if index < 30 { 0 } else { 2 }, Bit { wire: Some(wire), inverted: index < 29 });
    }
    for _ in 0..8 {
        let wire = heap.input();
        heap.add(6, wire.into());
    }
    let netlist = heap.compress(&Search { runs: 100, seed: 3 });
    assert_eq!(netlist.check(&heap), Ok(()));
    for kind in [
        Kind::Six,
        Kind::FullAdder,
        Kind::Parity,
        Kind::Ternary,
        Kind::Two,
        Kind::Top,
        Kind::Inverter,
    ] {
        assert!(netlist.count(kind) > 0, "no {kind:?} to be mutated");
    }
    (heap, netlist)
}

/// Every table entry that can be reached matters: flipping it breaks the sum.
#[test]
fn a_flipped_table_entry_is_found() {
    let (heap, netlist) = mutant_base();
    for (stage, chain, counter) in places(&netlist) {
        let original = &netlist.stages[stage].chains[chain][counter];
        for (number, lut) in original.luts.iter().enumerate() {
            for entry in 0..1 << lut.pins.len() {
                // Entries behind constant pins are never read.
                let constant = |pin: usize| lut.pins[pin].wire.is_none();
                let read = (0..lut.pins.len().min(if lut.o5.is_some() { 5 } else { 6 }))
                    .all(|pin| !constant(pin) || (entry >> pin & 1 == 1) == lut.pins[pin].inverted);
                let mut mutant = netlist.clone();
                mutant.stages[stage].chains[chain][counter].luts[number].init ^= 1 << entry;
                let found = mutant.check(&heap);
                if read {
                    let harmless = found.is_ok() && agrees(&heap, &mutant, 5);
                    let free = lut.o5.is_some() && entry < 32;
                    assert!(!harmless || free, "{:?} table {number} entry {entry}", original.kind);
                } else {
                    assert_eq!(found, Ok(()), "an entry that nothing reads");
                }
                assert!(found.is_err() || agrees(&heap, &mutant, 7), "a wrong tree is proven");
            }
        }
    }
}

#[test]
fn swapped_and_dropped_wires_are_found() {
    let (heap, netlist) = mutant_base();
    let other = netlist.stages[0].registers[0].1;
    for (stage, chain, counter) in places(&netlist) {
        let original = &netlist.stages[stage].chains[chain][counter];
        // A pin on another wire.
        for number in 0..original.luts.len() {
            for pin in 0..original.luts[number].pins.len() {
                let mut mutant = netlist.clone();
                let lut = &mut mutant.stages[stage].chains[chain][counter].luts[number];
                if lut.pins[pin].wire.is_none() || lut.pins[pin].wire == Some(other) {
                    continue;
                }
                lut.pins[pin] = other.into();
                assert!(mutant.check(&heap).is_err(), "{:?} pin {pin}", original.kind);
            }
        }
        // A bit that is not taken, not given, or in another column.
        for index in 0..original.takes.len() {
            let mut mutant = netlist.clone();
            mutant.stages[stage].chains[chain][counter].takes.remove(index);
            assert!(mutant.check(&heap).is_err());
        }
        for index in 0..original.gives.len() {
            let mut mutant = netlist.clone();
            mutant.stages[stage].chains[chain][counter].gives.remove(index);
            assert!(mutant.check(&heap).is_err());
            let mut mutant = netlist.clone();
            mutant.stages[stage].chains[chain][counter].gives[index].1 += 1;
            assert!(mutant.check(&heap).is_err());
        }
    }
}

#[test]
fn missing_counters_registers_and_outputs_are_found() {
    let (heap, netlist) = mutant_base();
    for (stage, chain, counter) in places(&netlist) {
        let mut mutant = netlist.clone();
        mutant.stages[stage].chains[chain].remove(counter);
        assert!(mutant.check(&heap).is_err());
    }
    for stage in 0..netlist.stages.len() {
        for register in 0..netlist.stages[stage].registers.len() {
            let mut mutant = netlist.clone();
            let (from, to) = mutant.stages[stage].registers.remove(register);
            assert!(mutant.check(&heap).is_err());
            // Read from the wire of another register.
            let mut mutant = netlist.clone();
            let next = (register + 1) % mutant.stages[stage].registers.len();
            mutant.stages[stage].registers[register].0 = mutant.stages[stage].registers[next].0;
            assert!(mutant.check(&heap).is_err(), "{from:?} {to:?}");
        }
    }
    let mut mutant = netlist.clone();
    mutant.outputs.swap(0, 1);
    assert!(matches!(mutant.check(&heap), Err(Flaw::Absent { .. })));
    let mut mutant = netlist.clone();
    mutant.outputs[2] = Bit::ZERO;
    assert!(matches!(mutant.check(&heap), Err(Flaw::Unused { .. })));
    let mut mutant = netlist;
    mutant.outputs[3] = !mutant.outputs[3];
    assert!(mutant.check(&heap).is_err());
}

/// Another heap than the one that the tree was made for.
#[test]
fn another_heap_is_found() {
    let (mut heap, netlist) = mutant_base();
    heap.add_constant(1);
    assert!(netlist.check(&heap).is_err());
}

/// Stage, chain and number of every counter.
fn places(netlist: &Netlist) -> Vec<(usize, usize, usize)> {
    let mut places = Vec::new();
    for (stage, content) in netlist.stages.iter().enumerate() {
        for (chain, counters) in content.chains.iter().enumerate() {
            places.extend((0..counters.len()).map(|counter| (stage, chain, counter)));
        }
    }
    places
}
