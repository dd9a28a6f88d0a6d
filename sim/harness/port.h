// A stream of a design, as the harness sees it: its sizes, and where its signals are in the model.
#pragma once
#include <cstddef>
#include <cstdint>

struct Port {
    const char* name;
    size_t bytes;        // of a word
    size_t frame_words;  // words of a frame
    const uint8_t* valid;
    const uint8_t* ready;
    void* data;  // the low bytes first, as Verilator keeps signals of any width
};
