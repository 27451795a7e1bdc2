//! Operations → rounds of transfers.
//!
//! Each operation says where its operands lie and gives the rounds that carry them through the array; what the cores do with
//! them stands in the headers (`header.rs`). Read `product.rs` first.

mod attention;
mod product;
mod rows;

pub use attention::{Attention, Unit};
pub use product::{Product, Weights};
pub use rows::RowOperation;
