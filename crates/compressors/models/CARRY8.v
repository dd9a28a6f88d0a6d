// Carry chain of a slice, UltraScale and UltraScale+, as one chain: CI is the carry of the slice
// below or comes from outside; CI_TOP is not used. For simulation only.
`default_nettype none

module CARRY8 (
    input wire CI,
    input wire CI_TOP,
    input wire [7:0] DI,
    input wire [7:0] S,
    output wire [7:0] CO,
    output wire [7:0] O
);

    wire co_0 = S[0] ? CI : DI[0];
    wire co_1 = S[1] ? co_0 : DI[1];
    wire co_2 = S[2] ? co_1 : DI[2];
    wire co_3 = S[3] ? co_2 : DI[3];
    wire co_4 = S[4] ? co_3 : DI[4];
    wire co_5 = S[5] ? co_4 : DI[5];
    wire co_6 = S[6] ? co_5 : DI[6];
    wire co_7 = S[7] ? co_6 : DI[7];
    assign CO = {co_7, co_6, co_5, co_4, co_3, co_2, co_1, co_0};
    assign O = S ^ {co_6, co_5, co_4, co_3, co_2, co_1, co_0, CI};

    wire unused_ok = &{1'b0, CI_TOP};

endmodule

`default_nettype wire
