// Look-up table of 6 inputs, 7 series. For simulation only.
`default_nettype none

module LUT6 #(
    parameter [63:0] INIT = 64'h0
) (
    input wire I0, I1, I2, I3, I4, I5,
    output wire O
);

    assign O = INIT[{I5, I4, I3, I2, I1, I0}];

endmodule

`default_nettype wire
