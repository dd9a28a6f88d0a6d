//! Run-time-sized synchronous hardware, printed as plain Verilog-2005.
//!
//! What comes in: Rust code that declares ports, wires, registers, memories and instances whose
//! widths are known only at run time ([`Module`], [`Signal`], [`Expr`], [`Memory`]). What goes
//! out: one readable file per module ([`Library::files`]) that Verilator with `-Wall`, Icarus,
//! Yosys and Vivado take. Headers, declarations, instances, statements and expressions are printed by
//! `rust_hdl`, through run-time implementations of its traits; this is the only crate that sees
//! it. Widths are checked when hardware is built: a mismatch is a bug of the caller and panics.
//!
//! ```
//! use hdl::{Library, Module, Value, lit, zeros};
//!
//! let mut m = Module::new("counter");
//! m.comment("Counts the cycles in which `enable` is high.");
//! let clk = m.input("clk", 1);
//! let rst = m.input("rst", 1);
//! let enable = m.input("enable", 1);
//! let count = m.output("count", 4);
//! m.register_reset_enabled(clk, rst, count, zeros(4), enable, count + lit(4, 1));
//!
//! let mut library = Library::new();
//! library.define(m);
//! assert_eq!(
//!     library.files()["counter.v"],
//!     "\
//! // Counts the cycles in which `enable` is high.
//! `default_nettype none
//!
//! module counter (
//!     input wire clk,
//!     input wire rst,
//!     input wire enable,
//!     output reg [3:0] count
//! );
//!
//!     always @(posedge clk) begin
//!         if (rst) begin
//!             count <= 4'h0;
//!         end else if (enable) begin
//!             count <= count + 4'h1;
//!         end
//!     end
//!
//! endmodule
//!
//! `default_nettype wire
//! "
//! );
//! ```

mod block;
mod constant;
mod emission;
mod expr;
pub mod ident;
mod instance;
mod layout;
mod library;
mod lowering;
mod memory;
mod module;
mod operators;
mod print;
mod reserved;
mod value;

pub use block::{Block, Case};
pub use constant::Constant;
pub use expr::{
    Expr, Signal, address_bits, and_all, bits_for, concat, high, lit, lit_signed, low, mux, ones,
    or_all, pack, sum, xor_all, zeros,
};
pub use instance::{Direction, Instance, InstanceBuilder, ModuleRef, Port};
pub use library::Library;
pub use memory::{Memory, RamStyle, RomStyle};
pub use module::Module;
pub use value::Value;
