// Reading and writing of the .npy files that the harness needs: C order, little endian.
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace npy {

struct Array {
    std::string descr;
    std::vector<size_t> shape;
    std::vector<uint8_t> bytes;

    size_t count() const { return shape.empty() ? 0 : shape[0]; }
    size_t width() const { return shape.size() > 1 ? shape[1] : 1; }
};

inline bool exists(const std::string& path) { return std::ifstream(path).good(); }

// Reads an array of one or two axes whose elements are `item` bytes long.
inline Array read(const std::string& path, size_t item) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::vector<uint8_t> all((std::istreambuf_iterator<char>(file)), {});
    if (all.size() < 10 || all[0] != 0x93 || all[6] != 1) {
        throw std::runtime_error(path + " is not a .npy file of version 1");
    }
    const size_t header = all[8] | all[9] << 8;
    if (all.size() < 10 + header) throw std::runtime_error(path + " is cut short");
    const std::string text(all.begin() + 10, all.begin() + 10 + header);
    Array array;
    const size_t descr = text.find("'descr':");
    const size_t open = text.find('(', text.find("'shape':"));
    const size_t close = text.find(')', open);
    if (descr == std::string::npos || open == std::string::npos || close == std::string::npos) {
        throw std::runtime_error(path + " has a malformed header");
    }
    const size_t quote = text.find('\'', descr + 8);
    array.descr = text.substr(quote + 1, text.find('\'', quote + 1) - quote - 1);
    size_t elements = 1;
    for (size_t at = open + 1; at < close;) {
        if (text[at] < '0' || text[at] > '9') {
            ++at;
            continue;
        }
        size_t used = 0;
        const size_t extent = std::stoull(text.substr(at), &used);
        array.shape.push_back(extent);
        elements *= extent;
        at += used;
    }
    if (all.size() - 10 - header != elements * item) {
        throw std::runtime_error(path + " does not hold what its header says");
    }
    array.bytes.assign(all.begin() + 10 + header, all.end());
    return array;
}

// Writes an array of `count` rows of `width` elements (one axis when width is 0).
inline void write(const std::string& path, const std::string& descr, size_t count, size_t width,
                  const void* data, size_t bytes) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" +
                         std::to_string(count) + "," +
                         (width ? " " + std::to_string(width) : std::string()) + "), }";
    while ((10 + header.size() + 1) % 64) header += ' ';
    header += '\n';
    std::ofstream file(path, std::ios::binary);
    const uint8_t prefix[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0,
                                uint8_t(header.size() & 255), uint8_t(header.size() >> 8)};
    file.write(reinterpret_cast<const char*>(prefix), 10);
    file.write(header.data(), std::streamsize(header.size()));
    file.write(static_cast<const char*>(data), std::streamsize(bytes));
    if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace npy
