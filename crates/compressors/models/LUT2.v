// Look-up table of 2 inputs, 7 series. For simulation only.
`default_nettype none

module LUT2 #(
    parameter [3:0] INIT = 4'h0
) (
    input wire I0, I1,
    output wire O
);

    assign O = INIT[{I1, I0}];

endmodule

`default_nettype wire
