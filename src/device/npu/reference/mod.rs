//! Every operation of the kernels again, slow and obvious, on plain matrices: what the kernels are held to, bit by bit.
//!
//! Read `mac.rs` first: the matrix unit's step in bf16, in integers. `fixed.rs` has the shifts and conversions that all of them
//! use.

mod attention;
mod finish;
mod fixed;
mod mac;
mod mel;
mod normalise;
mod product;
mod quantise;
mod tables;

pub use attention::{Attention, Keys, exponential};
pub use finish::{finish_bf16, finish_int8, gelu, greatest, sum, to_bf16};
pub use fixed::{saturated, srs, to_fixed};
pub use mac::mac;
pub use mel::{logarithm, power};
pub use normalise::{inverse_root, normalise};
pub use product::{product_bf16, product_int8};
pub use quantise::{maxima, quantise, wide_of};
pub use tables::{complementary_error, exp_table, gelu_table, logarithm_table};
