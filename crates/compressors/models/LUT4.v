// Look-up table of 4 inputs, 7 series. For simulation only.
`default_nettype none

module LUT4 #(
    parameter [15:0] INIT = 16'h0
) (
    input wire I0, I1, I2, I3,
    output wire O
);

    assign O = INIT[{I3, I2, I1, I0}];

endmodule

`default_nettype wire
