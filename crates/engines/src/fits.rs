//! Written by `cargo xtask calibrate`: do not edit.

use crate::calibration::Fit;

pub(crate) const FITS: &[Fit] = &[];
