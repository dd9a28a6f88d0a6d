// Carry chain of a slice, 7 series. CI is the carry of the slice below, CYINIT comes from outside;
// one of them is 0. For simulation only.
`default_nettype none

module CARRY4 (
    input wire CI,
    input wire CYINIT,
    input wire [3:0] DI,
    input wire [3:0] S,
    output wire [3:0] CO,
    output wire [3:0] O
);

    wire first = CI | CYINIT;
    wire co_0 = S[0] ? first : DI[0];
    wire co_1 = S[1] ? co_0 : DI[1];
    wire co_2 = S[2] ? co_1 : DI[2];
    wire co_3 = S[3] ? co_2 : DI[3];
    assign CO = {co_3, co_2, co_1, co_0};
    assign O = S ^ {co_2, co_1, co_0, first};

endmodule

`default_nettype wire
