// Look-up table of 1 input, 7 series. For simulation only.
`default_nettype none

module LUT1 #(
    parameter [1:0] INIT = 2'h0
) (
    input wire I0,
    output wire O
);

    assign O = INIT[I0];

endmodule

`default_nettype wire
