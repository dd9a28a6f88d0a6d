//! The printed text, and what is refused.

#[expect(dead_code, reason = "shared with the tool tests")]
mod designs;

use std::time::{Duration, Instant};

use hdl::{Library, Module, RamStyle, RomStyle, Value, lit, low, zeros};

/// The body of a module between header and `endmodule`.
fn body(build: impl FnOnce(&mut Module)) -> String {
    let mut m = Module::new("sample");
    build(&mut m);
    let mut library = Library::new();
    library.define(m);
    let text = library.text("sample").expect("defined");
    let (_, rest) = text.split_once(");\n\n").expect("a header");
    rest.split_once("\n\nendmodule").expect("an end").0.to_owned()
}

#[test]
fn a_stage_reads_well() {
    let mut library = Library::new();
    designs::stage(&mut library, 8);
    let expected = "\
// One pipeline register with valid and ready.
// Latency 1, one word a cycle.
`default_nettype none

module stage_8 (
    input wire clk,
    input wire rst,
    input wire [7:0] s_data,
    input wire s_valid,
    // High when the register is empty or being emptied.
    output wire s_ready,
    output reg [7:0] m_data,
    output reg m_valid,
    input wire m_ready
);

    assign s_ready = ~rst & (~m_valid | m_ready);

    // Control: reset
    always @(posedge clk) begin
        if (rst) begin
            m_valid <= 1'b0;
        end else if (s_ready) begin
            m_valid <= s_valid;
        end
    end

    // Data: no reset
    always @(posedge clk) begin
        if (s_valid & s_ready) begin
            m_data <= s_data;
        end
    end

endmodule

`default_nettype wire
";
    assert_eq!(library.text("stage_8"), Some(expected));
}

#[test]
fn instances_are_named_and_ordered() {
    let mut library = Library::new();
    designs::chain(&mut library, 4);
    let text = library.text("chain_4").unwrap();
    let first = "
    // fc0: first
    wire second_ready;
    wire [3:0] first_m_data;
    wire first_m_valid;

    stage_4 u_first (
        .clk(clk),
        .rst(rst),
        .s_data(s_data),
        .s_valid(1'b1),
        .s_ready(s_ready),
        .m_data(first_m_data),
        .m_valid(first_m_valid),
        .m_ready(second_ready)
    );

    // fc1: second
    wire second_m_valid;

    stage_4 u_second (
        .clk(clk),
        .rst(rst),
        .s_data(~first_m_data),
        .s_valid(first_m_valid),
        .s_ready(second_ready),
        .m_data(m_data),
        .m_valid(second_m_valid),
        .m_ready(1'b1)
    );

    // Read by nothing, on purpose.
    wire unused_ok = &{1'b0, second_m_valid};
";
    assert!(text.contains(first), "{text}");
}

#[test]
fn statements_keep_their_shape() {
    let mut library = Library::new();
    designs::control(&mut library);
    let text = library.text("control").unwrap();
    let expected = "
        case (state_q)
            2'h0: begin
                if (go) begin
                    state_d = 2'h1;
                end
            end
            2'h1: begin
                // Two ways out.
                busy = 1'b1;
                if (stop) begin
                    state_d = 2'h0;
                end else if (~go) begin
                    state_d = 2'h2;
                end
            end
            default: begin
                state_d = 2'h0;
            end
        endcase
";
    assert!(text.contains(expected), "{text}");
    assert!(
        text.starts_with("// Layer `caf?`\n// `define x endmodule */\n`default_nettype none\n")
    );
}

#[test]
fn memories_of_one_word_need_no_address() {
    let text = body(|m| {
        let clk = m.input("clk", 1);
        let address = m.input("address", 1);
        let table = m.rom("table_words", 4, 1, "t.mem", RomStyle::Block);
        let ram = m.ram("held", 4, 1, RamStyle::Lut);
        let word = m.read("word", table, address);
        m.write(ram, clk, true, address, word);
        let held = m.read("held_word", ram, address);
        m.sink_unused([held]);
    });
    assert_eq!(
        text,
        "    (* rom_style = \"block\" *)
    reg [3:0] table_words [0:0];
    initial $readmemh(\"t.mem\", table_words);

    reg [3:0] held;

    wire [3:0] word = table_words[0];

    always @(posedge clk) begin
        held <= word;
    end

    wire [3:0] held_word = held;

    // Read by nothing, on purpose.
    wire unused_ok = &{1'b0, address, held_word};"
    );
}

#[test]
fn registers_can_stay_flip_flops() {
    let text = body(|m| {
        let (clk, level) = (m.input("clk", 1), m.input("level", 1));
        let delayed_q = m.reg("delayed_q", 1);
        m.keep_flip_flops(delayed_q);
        m.register(clk, delayed_q, level);
        m.sink_unused([delayed_q]);
    });
    assert!(
        text.starts_with("    (* keep = \"true\", shreg_extract = \"no\" *)\n    reg delayed_q;\n")
    );
}

#[test]
fn a_sliced_expression_gets_a_wire() {
    let text = body(|m| {
        let a = m.input("a", 8);
        let total = a.add_wide(lit(8, 3), 9);
        m.net("high_unused", total.slice(4, 5));
        m.net("low_unused", total.slice(0, 2));
    });
    assert_eq!(
        text,
        "    wire [8:0] expr_0 = {1'b0, a} + 9'h3;
    wire [4:0] high_unused = expr_0[8:4];
    wire [1:0] low_unused = expr_0[1:0];

    // Read by nothing, on purpose.
    wire unused_ok = &{1'b0, expr_0[3:2]};"
    );
}

#[test]
fn equal_definitions_are_one_module() {
    let mut library = Library::new();
    let (a, b) = (designs::stage(&mut library, 8), designs::stage(&mut library, 8));
    assert_eq!(a, b);
    assert_eq!(library.files().keys().collect::<Vec<_>>(), ["stage_8.v"]);
    assert_eq!(library.get("stage_8"), Some(a));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(designs::all().files(), designs::all().files());
}

#[test]
fn lines_are_short_and_clean() {
    for (name, text) in designs::all().files() {
        for line in text.lines() {
            let long_token = line.split_ascii_whitespace().any(|t| t.len() > 90);
            assert!(line.len() <= 100 || long_token, "{name}: {line}");
            assert_eq!(line, line.trim_end(), "{name}");
        }
        assert!(!text.contains("\n\n\n"), "{name}");
    }
}

#[test]
fn printing_is_quick() {
    let start = Instant::now();
    designs::popcount(&mut Library::new(), 784);
    designs::wide_constant(&mut Library::new(), 50_000);
    // About 10 ms; the limit leaves room for a loaded machine.
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

fn refused(build: impl FnOnce(&mut Module) + std::panic::UnwindSafe) -> String {
    let result = std::panic::catch_unwind(|| {
        let mut m = Module::new("sample");
        build(&mut m);
        Library::new().define(m);
    });
    let message = result.expect_err("a bug must panic");
    message.downcast_ref::<String>().expect("a formatted message").clone()
}

#[test]
fn bugs_are_named() {
    let cases: [(String, &str); 10] = [
        (
            refused(|m| {
                let (a, b) = (m.input("a", 8), m.input("b", 9));
                m.net("c", a + b);
            }),
            "Add of 8 and 9 bits",
        ),
        (refused(|m| _ = m.output("y", 1)), "`y` in `sample` is never driven"),
        (
            refused(|m| {
                let y = m.output("y", 1);
                m.assign(y, low());
                m.assign(y, low());
            }),
            "`y` in `sample` is driven twice",
        ),
        (refused(|m| _ = (m.input("a", 1), m.input("a", 1))), "`a` is declared twice"),
        (refused(|m| _ = m.input("wire", 1)), "`wire` in `sample` is not a legal name"),
        (
            refused(|m| {
                let (a, y) = (m.input("a", 1), m.wire("y", 1));
                m.comb(|b| b.when(a, |b| b.set(y, low())));
            }),
            "`y` is not assigned on every path",
        ),
        (
            refused(|m| {
                let y = m.wire("y", 1);
                m.comb(|b| b.set(y, low()));
            }),
            "reads no signal",
        ),
        (
            refused(|m| {
                let other = Module::new("other").input("x", 1);
                m.net("y", other);
            }),
            "a signal of another module",
        ),
        (
            refused(|m| {
                let stage = designs::stage(&mut Library::new(), 8);
                m.instance("u_x", &stage).place();
            }),
            "input `clk` of `u_x` is not connected",
        ),
        (
            refused(|m| {
                let a = m.input("a", 3);
                let rom = m.rom("words", 4, 32, "w.mem", RomStyle::Logic);
                m.read("word", rom, a);
                m.net("y", zeros(1));
            }),
            "wants an address of 5 bits, not 3",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
}
