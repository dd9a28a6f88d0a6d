// Look-up table of 5 inputs, 7 series. For simulation only.
`default_nettype none

module LUT5 #(
    parameter [31:0] INIT = 32'h0
) (
    input wire I0, I1, I2, I3, I4,
    output wire O
);

    assign O = INIT[{I4, I3, I2, I1, I0}];

endmodule

`default_nettype wire
