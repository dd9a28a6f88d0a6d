//! Small modules that between them use everything the crate prints.

use hdl::{
    Constant, Library, Module, ModuleRef, Port, RamStyle, RomStyle, Signal, Value, address_bits,
    and_all, bits_for, cat, high, lit, lit_signed, low, mux, ones, or_all, pack, sum, xor_all,
    zeros,
};

/// `s_*` to `m_*` through one register; ready is cut by nothing (a plain pipeline stage).
pub(crate) fn stage(library: &mut Library, width: usize) -> ModuleRef {
    let mut m = Module::new(&format!("stage_{width}"));
    m.comment("One pipeline register with valid and ready.\nLatency 1, one word a cycle.");
    let clk = m.input("clk", 1);
    let rst = m.input("rst", 1);
    let s_data = m.input("s_data", width);
    let s_valid = m.input("s_valid", 1);
    let s_ready = m.output("s_ready", 1);
    let m_data = m.output("m_data", width);
    let m_valid = m.output("m_valid", 1);
    let m_ready = m.input("m_ready", 1);
    m.note(s_ready, "High when the register is empty or being emptied.");
    m.assign(s_ready, !rst & (!m_valid | m_ready));
    m.section("Control: reset");
    m.register_reset_enabled(clk, rst, m_valid, low(), s_ready, s_valid);
    m.section("Data: no reset");
    m.register_enabled(clk, s_valid & s_ready, m_data, s_data);
    library.define(m)
}

/// Two stages and a constant tie.
pub(crate) fn chain(library: &mut Library, width: usize) -> ModuleRef {
    let stage = stage(library, width);
    let mut m = Module::new(&format!("chain_{width}"));
    m.comment("Two stages; the word is inverted in between. The sink is always ready.");
    let clk = m.input("clk", 1);
    let rst = m.input("rst", 1);
    let s_data = m.input("s_data", width);
    let s_ready = m.output("s_ready", 1);
    let m_data = m.output("m_data", width);
    m.section("fc0: first");
    let second_ready = m.wire("second_ready", 1);
    let first = m
        .instance("u_first", &stage)
        .connect("clk", clk)
        .connect("rst", rst)
        .connect("s_data", s_data)
        .connect("s_valid", high())
        .connect("s_ready", s_ready)
        .connect("m_ready", second_ready)
        .place();
    m.section("fc1: second");
    let second = m
        .instance("u_second", &stage)
        .connect("clk", clk)
        .connect("rst", rst)
        .connect("s_data", !first.output("m_data"))
        .connect("s_valid", first.output("m_valid"))
        .connect("s_ready", second_ready)
        .connect("m_data", m_data)
        .connect("m_ready", true)
        .place();
    m.sink_unused([second.output("m_valid")]);
    library.define(m)
}

/// A FIFO in LUT RAM with first-word fall-through.
pub(crate) fn fifo(library: &mut Library, width: usize, depth: usize) -> ModuleRef {
    let mut m = Module::new(&format!("fifo_{width}x{depth}"));
    m.comment(&format!("FIFO of {depth} words in LUT RAM."));
    let clk = m.input("clk", 1);
    let rst = m.input("rst", 1);
    let s_data = m.input("s_data", width);
    let s_valid = m.input("s_valid", 1);
    let s_ready = m.output("s_ready", 1);
    let m_data = m.output("m_data", width);
    let m_valid = m.output("m_valid", 1);
    let m_ready = m.input("m_ready", 1);
    let (count_bits, pointer_bits) = (bits_for(depth), address_bits(depth));
    let count_q = m.reg("count_q", count_bits);
    let write_q = m.reg("write_q", pointer_bits);
    let read_q = m.reg("read_q", pointer_bits);
    let ram = m.ram("words", width, depth, RamStyle::Lut);
    m.section("Handshakes");
    m.assign(s_ready, !rst & count_q.less_than(lit(count_bits, depth as u64)));
    m.assign(m_valid, !rst & !count_q.is(0));
    let push = m.net("push", s_valid & s_ready);
    let pop = m.net("pop", m_valid & m_ready);
    m.write(ram, clk, push, write_q, s_data);
    let word = m.read("word", ram, read_q);
    m.assign(m_data, word);
    let next = |pointer: Signal| {
        let last = lit(pointer_bits, depth as u64 - 1);
        let step = pointer + lit(pointer_bits, 1);
        mux(pointer.equals(last), zeros(pointer_bits), step)
    };
    m.section("Pointers");
    m.clocked(clk, |b| {
        b.when_else(
            rst,
            |b| {
                b.set(count_q, zeros(count_bits));
                b.set(write_q, zeros(pointer_bits));
                b.set(read_q, zeros(pointer_bits));
            },
            |b| {
                b.set(
                    count_q,
                    count_q + push.zero_extend(count_bits) - pop.zero_extend(count_bits),
                );
                b.when(push, |b| b.set(write_q, next(write_q)));
                b.when(pop, |b| b.set(read_q, next(read_q)));
            },
        );
    });
    library.define(m)
}

/// A ROM read with and without a clock.
pub(crate) fn rom(library: &mut Library, width: usize, depth: usize, style: RomStyle) -> ModuleRef {
    let style_name = if style == RomStyle::Block { "block" } else { "logic" };
    let mut m = Module::new(&format!("rom_{style_name}_{width}x{depth}"));
    let clk = m.input("clk", 1);
    let enable = m.input("enable", 1);
    let address = m.input("address", address_bits(depth));
    let data = m.output("data", width);
    let rom = m.rom("contents", width, depth, "contents.mem", style);
    let word_q = m.read_clocked("word_q", rom, clk, enable, address);
    m.assign(data, word_q);
    library.define(m)
}

/// Reads without a clock, and a block RAM.
pub(crate) fn memories(library: &mut Library, width: usize, depth: usize) -> ModuleRef {
    let mut m = Module::new(&format!("memories_{width}x{depth}"));
    let clk = m.input("clk", 1);
    let write = m.input("write", 1);
    let address = m.input("address", address_bits(depth));
    let data = m.input("data", width);
    let small = m.output("small_word", width);
    let large = m.output("large_word", width);
    let table = m.rom("thresholds", width, depth, "thresholds.mem", RomStyle::Logic);
    let word = m.read("threshold", table, address);
    m.assign(small, word);
    let lines = m.ram("lines", width, depth, RamStyle::Block);
    m.write(lines, clk, write, address, data);
    let line_q = m.read_every_cycle("line_q", lines, clk, address);
    m.assign(large, line_q);
    library.define(m)
}

/// Every operator at a width.
pub(crate) fn operators(library: &mut Library, width: usize) -> ModuleRef {
    let mut m = Module::new(&format!("operators_{width}"));
    let a = m.input("a", width);
    let b = m.input("b", width);
    let select = m.input("select", 1);
    let index = m.input("index", address_bits(width));
    let wide = m.input("wide", 5 * width);
    let lane = m.input("lane", 3);
    let out = |m: &mut Module, name: &str, value: hdl::Expr| {
        let port = m.output(name, value.width());
        m.assign(port, value);
    };
    out(&mut m, "logic_out", !(a & b) ^ (a | !b));
    out(&mut m, "chain", a & b & (a | b) & !a);
    out(&mut m, "sum_out", a + b - (a - b));
    out(&mut m, "top_of_sum", (a + b).top_bit());
    out(&mut m, "wide_sum", a.add_wide(b, width + 1));
    out(&mut m, "signed_sum", a.add_signed_wide(b, width + 2));
    out(&mut m, "signed_difference", a.sub_signed_wide(b, width + 1));
    out(&mut m, "total", sum(width + 3, wide.lanes(width)));
    out(&mut m, "product", a.mul_signed(b));
    out(&mut m, "unsigned_product", a.mul(b));
    out(&mut m, "negative", a.negate());
    let compared = [
        a.equals(b),
        a.differs(b),
        a.less_than(b),
        a.at_most(b),
        a.greater_than(b),
        a.at_least(b),
        a.less_than_signed(b),
        a.at_most_signed(b),
        a.greater_than_signed(b),
        a.at_least_signed(b),
        a.is(0),
        a.less_than(zeros(width)),
        a.at_least(zeros(width)),
        a.at_most(ones(width)),
        a.less_than_signed(lit_signed(width, -1)),
        zeros(width).at_most(a),
        a.at_least_signed(lit_signed(width + 1, -(1 << (width.min(40) - 1))).slice(0, width)),
    ];
    out(&mut m, "compared", pack(compared));
    out(&mut m, "chosen", mux(select, a, mux(a.any_one(), b, mux(b.parity(), !a, a + b))));
    out(&mut m, "reduced", cat![a.all_ones(), a.any_one() & !b.any_one(), (a ^ b).parity()]);
    out(&mut m, "folded", or_all([a, b]) ^ and_all([a, b]) ^ xor_all([a, b]));
    out(&mut m, "slices", cat![wide.slice(width, 2 * width), a.bit(0), lit(3, 5), &wide.bit(4)]);
    out(&mut m, "of_cat", cat![a, b, a].slice(width - 1, width + 1));
    out(&mut m, "one_bit", a.select_bit(index));
    out(&mut m, "one_lane", wide.select_lane(lane, width));
    out(&mut m, "lane_of_cat", cat![a, wide, !b].select_lane(lane, width));
    out(&mut m, "copies", a.replicate(3) ^ a.top_bit().replicate(3 * width));
    out(&mut m, "grown", cat![a.zero_extend(width + 5), a.sign_extend(width + 5)]);
    out(&mut m, "cut", (a + b).zero_extend(width + 2).resize(1));
    out(&mut m, "shifted", a.shift_up(index) | a.shift_down(lane));
    out(&mut m, "constant", Constant::from_bits((0..width).map(|i| i % 3 == 0)).into());
    library.define(m)
}

/// A combinational block with defaults, `if`, `else if`, `case`; two-process style.
pub(crate) fn control(library: &mut Library) -> ModuleRef {
    let mut m = Module::new("control");
    m.comment("Layer `caf\u{e9}`\r\n`define x endmodule */ \\");
    let clk = m.input("clk", 1);
    let rst = m.input("rst", 1);
    let go = m.input("go", 1);
    let stop = m.input("stop", 1);
    let busy = m.output("busy", 1);
    let state_q = m.reg("state_q", 2);
    let state_d = m.wire("state_d", 2);
    m.comb(|b| {
        b.set(state_d, state_q);
        b.set(busy, low());
        b.case(state_q, |c| {
            c.arm(0, |b| b.when(go, |b| b.set(state_d, lit(2, 1))));
            c.arm(1, |b| {
                b.comment("Two ways out.");
                b.set(busy, high());
                b.when_else(
                    stop,
                    |b| b.set(state_d, lit(2, 0)),
                    |b| b.when(!go, |b| b.set(state_d, lit(2, 2))),
                );
            });
            c.default(|b| b.set(state_d, lit(2, 0)));
        });
    });
    m.register_reset(clk, rst, state_q, zeros(2), state_d);
    library.define(m)
}

/// A vendor primitive with a parameter.
pub(crate) fn primitive(library: &mut Library) -> ModuleRef {
    let mut ports: Vec<Port> = (0..6).map(|i| Port::input(&format!("I{i}"), 1)).collect();
    ports.extend([Port::output("O5", 1), Port::output("O6", 1)]);
    let lut = ModuleRef::external("LUT6_2", ports);
    let mut m = Module::new("pinned");
    let a = m.input("a", 6);
    let y = m.output("y", 2);
    let init = Constant::new(64, 0x6996_9669_9669_6996);
    let mut instance = m.instance("u_lut", &lut).parameter("INIT", init);
    for i in 0..6 {
        instance = instance.connect(&format!("I{i}"), a.bit(i));
    }
    let placed = instance.place();
    m.assign(y, cat![placed.output("O6"), placed.output("O5")]);
    library.define(m)
}

/// Everything, at odd sizes too.
pub(crate) fn all() -> Library {
    let mut library = Library::new();
    for width in [1, 7, 64, 300] {
        chain(&mut library, width);
    }
    for width in [1, 2, 5, 8, 70] {
        if width > 4 {
            operators(&mut library, width);
        }
        for depth in [1, 2, 3, 8, 1000] {
            fifo(&mut library, width, depth);
            memories(&mut library, width, depth);
            rom(&mut library, width, depth, RomStyle::Block);
            rom(&mut library, width, depth, RomStyle::Logic);
        }
    }
    control(&mut library);
    wide_constant(&mut library, 50_000);
    popcount(&mut library, 784);
    library
}

/// A constant of many bits, compared with an input.
pub(crate) fn wide_constant(library: &mut Library, width: usize) -> ModuleRef {
    let mut m = Module::new("wide_constant");
    let a = m.input("a", width);
    let same = m.output("same", 1);
    let bits = Constant::from_bits((0..width).map(|i| i * i % 7 < 3));
    m.assign(same, a.equals(bits));
    library.define(m)
}

/// A tree of adders, one named wire each.
pub(crate) fn popcount(library: &mut Library, inputs: usize) -> ModuleRef {
    let mut m = Module::new(&format!("popcount_{inputs}"));
    let a = m.input("a", inputs);
    let mut level: Vec<hdl::Expr> = a.lanes(1);
    let mut step = 0;
    while level.len() > 1 {
        m.section(&format!("Level {step}"));
        let width = level[0].width() + 1;
        level = level
            .chunks(2)
            .enumerate()
            .map(|(i, pair)| m.net(&format!("sum_{step}x{i}"), sum(width, pair)).into())
            .collect();
        step += 1;
    }
    let count = m.output("count", level[0].width());
    m.assign(count, level.remove(0));
    library.define(m)
}
