//! What the processor's XNOR and popcount can do at most, measured.
#![expect(unsafe_code, reason = "instructions that only some processors have")]

use golden::Kernel;
use std::hint::black_box;
use tests::clock::seconds_of_thread;

/// Steps of a run: some milliseconds.
const STEPS: usize = 1 << 20;

/// Products of bits a second in a loop over registers: XOR, popcount, addition to a sum. The best of
/// some runs.
pub(crate) fn products_a_second(kernel: Kernel) -> f64 {
    assert!(kernel.is_available());
    let run = || {
        let start = seconds_of_thread();
        let bits = match kernel {
            Kernel::Portable | Kernel::Neon => portable(),
            // SAFETY: it is available.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2() },
            // SAFETY: it is available.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512() },
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        };
        bits / (seconds_of_thread() - start)
    };
    (0..20).map(|_| run()).fold(0.0, f64::max)
}

/// The bits that all steps meet.
fn portable() -> f64 {
    let mut sums = [0u64; 8];
    let weights: [u64; 8] = black_box(std::array::from_fn(|i| i as u64 * 0x9e37_79b9_7f4a_7c15));
    for step in 0..STEPS as u64 {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += u64::from((weight ^ black_box(step)).count_ones());
        }
    }
    black_box(sums);
    (STEPS * 8 * 64) as f64
}

/// Four registers of weights against four words, as in the inner loop of the golden model, with
/// nothing to load or to store.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn avx512() -> f64 {
    use std::arch::x86_64::*;
    let mut sums = [[_mm512_setzero_si512(); 4]; 4];
    let weights = black_box([1, 2, 3, 4].map(|w| _mm512_set1_epi32(w)));
    let mut words = black_box([5, 6, 7, 8].map(|x| _mm512_set1_epi32(x)));
    for _ in 0..STEPS {
        for (word, sums) in words.iter_mut().zip(&mut sums) {
            // SAFETY: it does nothing; to the compiler, the word is another one in each step.
            unsafe { std::arch::asm!("/* {0} */", inout(zmm_reg) * word, options(nomem, nostack)) };
            for (sum, weight) in sums.iter_mut().zip(weights) {
                let differ = _mm512_xor_si512(weight, *word);
                *sum = _mm512_add_epi32(*sum, _mm512_popcnt_epi32(differ));
            }
        }
    }
    black_box(sums);
    (STEPS * 16 * 512) as f64
}

/// The table of counts that the golden model uses, two registers of weights against four tables: a
/// lookup and an addition for four bits of 32 rows.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2() -> f64 {
    use std::arch::x86_64::*;
    let mut sums = [[_mm256_setzero_si256(); 2]; 4];
    let weights = black_box([1, 2].map(|w| _mm256_set1_epi8(w)));
    let mut tables = black_box([5, 6, 7, 8].map(|x| _mm256_set1_epi8(x)));
    for _ in 0..STEPS {
        for (table, sums) in tables.iter_mut().zip(&mut sums) {
            // SAFETY: it does nothing; to the compiler, the table is another one in each step.
            unsafe {
                std::arch::asm!("/* {0} */", inout(ymm_reg) * table, options(nomem, nostack))
            };
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm256_add_epi8(*sum, _mm256_shuffle_epi8(*table, weight));
            }
        }
    }
    black_box(sums);
    (STEPS * 8 * 128) as f64
}
