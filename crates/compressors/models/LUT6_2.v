// Look-up table with two outputs, 7 series. For simulation only.
`default_nettype none

module LUT6_2 #(
    parameter [63:0] INIT = 64'h0
) (
    input wire I0, I1, I2, I3, I4, I5,
    output wire O5,
    output wire O6
);

    assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
    assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];

endmodule

`default_nettype wire
