// Look-up table of 3 inputs, 7 series. For simulation only.
`default_nettype none

module LUT3 #(
    parameter [7:0] INIT = 8'h0
) (
    input wire I0, I1, I2,
    output wire O
);

    assign O = INIT[{I2, I1, I0}];

endmodule

`default_nettype wire
