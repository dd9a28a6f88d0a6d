//! Time for benchmarks.

use rustix::time::{ClockId, clock_gettime};

/// Seconds that this thread has computed: what others on the machine take does not count.
pub fn seconds_of_thread() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}
