// In place of a design's streams.h: the design of a bundle that was chosen, whichever it is.
#pragma once
#include <vector>
#include "port.h"
#include "verilated.h"

// A model, and where its pins are.
struct Pins {
    void* model;
    void (*evaluate)(void*);
    CData &aclk, &aresetn, &s_axis_tvalid, &s_axis_tlast, &m_axis_tready;
    CData &m_axis_tlast, &m_axis_tuser, &frame_error;
    std::vector<Port> streams;
};

// Makes the model of the design that the first argument names.
Pins chosen(VerilatedContext* context);

struct AnyTop : Pins {
    explicit AnyTop(VerilatedContext* context) : Pins(chosen(context)) {}
    void eval() { evaluate(model); }
};

#define TOP AnyTop

inline std::vector<Port> ports(AnyTop& top) { return top.streams; }
