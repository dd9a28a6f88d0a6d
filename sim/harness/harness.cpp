// The testbench of every design: feeds words, records every stream with its cycles, compares.
//
//   sim --input DIR [--record DIR] [--expect DIR] [--seed N] [--idle CYCLES]
//       [--limit CYCLES] [--reset-after WORDS] [--trace FILE]
//
// DIR of --input holds s_axis.words.npy (uint8 [words, bytes]); optionally gaps.npy and stalls.npy
// (uint32, cycles of waiting before each word at the two ends) and s_axis.last.npy (uint8, tlast of
// each word; by default the last word of every frame). DIR of --expect holds <stream>.words.npy and
// <stream>.cycles.npy (uint64) for each stream.
//
// --trace, of a build with TRACE=1, writes the waveforms of all signals from cycle 0 on as a VCD file.
//
// Cycle 0 is the first rising edge with reset high (aresetn is active low). Valid and ready are
// sampled just before an edge and driven just after it. "Moved in cycle c" means that both were
// high at edge c. Exit status: 0 equal, 1 different or contract broken, 2 wrong usage.

#include <chrono>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>

#include "npy.h"
#include "streams.h"  // generated: TOP, HALF_CYCLE, and ports(TOP&): the streams from input to output
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

struct Stream : Port {
    explicit Stream(const Port& port) : Port(port) {}
    bool offers() const { return *valid; }
    bool moves() const { return *valid && *ready; }
    const uint8_t* word() const { return static_cast<const uint8_t*>(data); }

    std::vector<uint8_t> words;
    std::vector<uint64_t> cycles;
    std::vector<uint8_t> held;
    bool stalled = false;
};

struct Options {
    std::string input, record, expect, trace;
    uint64_t seed = 1, idle = 200000, limit = ~0ull, reset_after = ~0ull;
};

Options parse(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string key = argv[i];
        if (i + 1 == argc) throw std::invalid_argument(key + " needs a value");
        const std::string value = argv[++i];
        if (key == "--input") o.input = value;
        else if (key == "--record") o.record = value;
        else if (key == "--expect") o.expect = value;
        else if (key == "--seed") o.seed = std::stoull(value);
        else if (key == "--idle") o.idle = std::stoull(value);
        else if (key == "--limit") o.limit = std::stoull(value);
        else if (key == "--reset-after") o.reset_after = std::stoull(value);
#if VM_TRACE
        else if (key == "--trace") o.trace = value;
#endif
        else throw std::invalid_argument("unknown option " + key);
    }
    if (o.input.empty()) throw std::invalid_argument("--input is needed");
    return o;
}

std::vector<uint32_t> waits(const std::string& path) {
    if (!npy::exists(path)) return {};
    const npy::Array a = npy::read(path, 4);
    std::vector<uint32_t> v(a.count());
    std::memcpy(v.data(), a.bytes.data(), a.bytes.size());
    return v;
}

class Bench {
  public:
    explicit Bench(const Options& options) : o_(options) {
        context_.randReset(2);
        context_.randSeed(int(options.seed));
        top_ = std::make_unique<TOP>(&context_);
        for (const Port& port : ports(*top_)) streams_.emplace_back(port);
        const std::string dir = o_.input + "/";
        const npy::Array input = npy::read(dir + "s_axis.words.npy", 1);
        input_ = input.bytes;
        input_words_ = input.count();
        if (input.width() != streams_.front().bytes) {
            throw std::runtime_error("s_axis.words.npy has words of the wrong width");
        }
        gaps_ = waits(dir + "gaps.npy");
        stalls_ = waits(dir + "stalls.npy");
        if (npy::exists(dir + "s_axis.last.npy")) {
            last_ = npy::read(dir + "s_axis.last.npy", 1).bytes;
            odd_frames_ = true;
        } else {
            last_.resize(input_words_);
            for (size_t n = 0; n < input_words_; ++n) {
                last_[n] = (n + 1) % streams_.front().frame_words == 0;
            }
        }
        for (uint8_t l : last_) frames_ += l;
#if VM_TRACE
        if (!o_.trace.empty()) {
            context_.traceEverOn(true);
            trace_ = std::make_unique<VerilatedVcdC>();
            top_->trace(trace_.get(), 99);
            trace_->open(o_.trace.c_str());
            if (!trace_->isOpen()) throw std::runtime_error("cannot write " + o_.trace);
        }
#endif
    }

    // Runs until all words of every frame have moved on every stream, and some cycles more: those at
    // the end of a frame that no window reads may move after the last result. False when nothing
    // moves for long, when far too much comes out, or at the limit.
    bool run() {
        reset();
        draw(0);
        const size_t wanted = frames_ * streams_.back().frame_words;
        uint64_t idle = 0, after = 0;
        while (after < 64) {
            const bool moved = cycle();
            idle = moved ? 0 : idle + 1;
            if (streams_.back().cycles.size() >= wanted && all_moved()) ++after;
            if (idle > o_.idle || now_ > o_.limit) return false;
            if (streams_.back().cycles.size() > wanted + 4096) return false;
        }
        return true;
    }

    bool all_moved() const {
        for (size_t i = 1; i < streams_.size(); ++i)
            if (streams_[i].cycles.size() < frames_ * streams_[i].frame_words) return false;
        return sent_ == input_words_;
    }

    void record() const {
        if (o_.record.empty()) return;
        for (const Stream& s : streams_) {
            const std::string path = o_.record + "/" + s.name;
            npy::write(path + ".words.npy", "|u1", s.cycles.size(), s.bytes, s.words.data(),
                       s.words.size());
            npy::write(path + ".cycles.npy", "<u8", s.cycles.size(), 0, s.cycles.data(),
                       s.cycles.size() * 8);
        }
        npy::write(o_.record + "/m_axis.last.npy", "|u1", out_last_.size(), 0, out_last_.data(),
                   out_last_.size());
        npy::write(o_.record + "/m_axis.user.npy", "|u1", out_user_.size(), 0, out_user_.data(),
                   out_user_.size());
    }

    // Compares with --expect; prints the first difference of each stream. Returns their number.
    size_t compare() const {
        if (o_.expect.empty()) return 0;
        size_t differences = 0;
        for (const Stream& s : streams_) {
            const std::string path = o_.expect + "/" + s.name;
            const npy::Array words = npy::read(path + ".words.npy", 1);
            const npy::Array cycles = npy::read(path + ".cycles.npy", 8);
            std::vector<uint64_t> when(cycles.count());
            std::memcpy(when.data(), cycles.bytes.data(), cycles.bytes.size());
            size_t here = 0;
            const size_t count = std::max(s.cycles.size(), when.size());
            for (size_t n = 0; n < count; ++n) {
                const bool both = n < s.cycles.size() && n < when.size();
                const bool same =
                    both && s.cycles[n] == when[n] &&
                    !std::memcmp(&s.words[n * s.bytes], &words.bytes[n * s.bytes], s.bytes);
                if (!same && here++ == 0) {
                    std::cerr << "stream " << s.name << ", word " << n << ": expected ";
                    if (n < when.size()) print(words.bytes, n, s.bytes, when[n]);
                    else std::cerr << "nothing";
                    std::cerr << ", found ";
                    if (n < s.cycles.size()) print(s.words, n, s.bytes, s.cycles[n]);
                    else std::cerr << "nothing";
                    std::cerr << "\n";
                }
            }
            differences += here;
        }
        if (!odd_frames_) differences += compare_flags();
        return differences;
    }

    size_t violations() const { return violations_; }
    uint64_t cycles() const { return now_; }
    size_t words() const {
        size_t n = 0;
        for (const Stream& s : streams_) n += s.cycles.size();
        return n;
    }
    bool sticky() const { return top_->frame_error; }

  private:
    // With frames of the right length, tlast marks the last word of each and tuser is low.
    size_t compare_flags() const {
        size_t here = 0;
        for (size_t n = 0; n < out_last_.size(); ++n) {
            const bool last = (n + 1) % streams_.back().frame_words == 0;
            const bool same = bool(out_last_[n]) == last && !out_user_[n];
            if (!same && here++ == 0) {
                std::cerr << "m_axis, word " << n << ": tlast or tuser is wrong\n";
            }
        }
        return here;
    }

    static void print(const std::vector<uint8_t>& words, size_t n, size_t bytes, uint64_t cycle) {
        const char* digits = "0123456789abcdef";
        for (size_t b = bytes; b-- > 0;) {
            const uint8_t v = words[n * bytes + b];
            std::cerr << digits[v >> 4] << digits[v & 15];
        }
        std::cerr << " in cycle " << cycle;
    }

    void edge() {
        top_->aclk = 1;
        top_->eval();
    }

    // Adds a half of the cycle to come to the waveforms: a cycle begins with the edge before its own.
    void draw(uint64_t half) {
#if VM_TRACE
        if (trace_) trace_->dump((2 * now_ + half) * HALF_CYCLE);
#else
        (void)half;
#endif
    }

    // Holds reset for some edges; after the first of them no valid or ready may be high.
    void reset() {
        top_->aclk = 0;
        top_->aresetn = 0;
        top_->s_axis_tvalid = 0;
        top_->s_axis_tlast = 0;
        top_->m_axis_tready = 0;
        top_->eval();
        for (int i = 0; i < 4; ++i) {
            edge();
            top_->aclk = 0;
            top_->eval();
            for (const Stream& s : streams_) {
                const bool valid = *s.valid && &s != &streams_.front();
                const bool ready = *s.ready && &s != &streams_.back();
                if (valid || ready) violate(s.name, "valid or ready is high in reset");
            }
        }
        for (Stream& s : streams_) s.stalled = false;
        top_->aresetn = 1;
        offer_at_ = now_ + wait(gaps_, sent_);
        ready_at_ = now_ + wait(stalls_, streams_.back().cycles.size());
        drive();
    }

    static uint64_t wait(const std::vector<uint32_t>& list, size_t n) {
        return n < list.size() ? list[n] : 0;
    }

    // Sets the inputs for the cycle that comes.
    void drive() {
        const bool valid = sent_ < input_words_ && now_ >= offer_at_;
        top_->s_axis_tvalid = valid;
        if (valid) {
            const Stream& s = streams_.front();
            std::memcpy(s.data, &input_[sent_ * s.bytes], s.bytes);
            top_->s_axis_tlast = last_[sent_];
        }
        top_->m_axis_tready = now_ >= ready_at_;
        top_->eval();
    }

    bool cycle() {
        bool moved = false;
        for (Stream& s : streams_) {
            const bool moves = s.moves();
            if (s.stalled || (s.offers() && !moves)) hold(s);
            if (!moves) continue;
            moved = true;
            s.words.insert(s.words.end(), s.word(), s.word() + s.bytes);
            s.cycles.push_back(now_);
        }
        const bool took = streams_.front().moves();
        const bool gave = streams_.back().moves();
        if (gave) {
            out_last_.push_back(top_->m_axis_tlast);
            out_user_.push_back(top_->m_axis_tuser);
        }
        edge();
        ++now_;
        draw(0);
        if (took) {
            ++sent_;
            offer_at_ = now_ + wait(gaps_, sent_);
        }
        if (gave) ready_at_ = now_ + wait(stalls_, streams_.back().cycles.size());
        top_->aclk = 0;
        if (took && sent_ == o_.reset_after) {
            reset();
        } else {
            drive();
        }
        draw(1);
        return moved;
    }

    // A word that was stalled must still be there, unchanged.
    void hold(Stream& s) {
        if (s.stalled && (!s.offers() || std::memcmp(s.held.data(), s.data, s.bytes))) {
            violate(s.name, "a stalled word changed");
        }
        s.stalled = s.offers() && !s.moves();
        s.held.assign(s.word(), s.word() + s.bytes);
    }

    void violate(const char* stream, const char* what) {
        if (violations_++ < 10) {
            std::cerr << "stream " << stream << ", cycle " << now_ << ": " << what << "\n";
        }
    }

    Options o_;
    VerilatedContext context_;
    std::unique_ptr<TOP> top_;
#if VM_TRACE
    std::unique_ptr<VerilatedVcdC> trace_;
#endif
    std::vector<Stream> streams_;
    std::vector<uint8_t> input_, last_, out_last_, out_user_;
    std::vector<uint32_t> gaps_, stalls_;
    size_t input_words_ = 0, sent_ = 0, violations_ = 0, frames_ = 0;
    uint64_t now_ = 0, offer_at_ = 0, ready_at_ = 0;
    bool odd_frames_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse(argc, argv);
        Bench bench(options);
        const auto start = std::chrono::steady_clock::now();
        const std::clock_t before = std::clock();
        const bool finished = bench.run();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        const double processor = double(std::clock() - before) / CLOCKS_PER_SEC;
        bench.record();
        const size_t differences = bench.compare();
        std::cout << "{\"finished\": " << (finished ? "true" : "false")
                  << ", \"cycles\": " << bench.cycles() << ", \"words\": " << bench.words()
                  << ", \"violations\": " << bench.violations()
                  << ", \"differences\": " << differences
                  << ", \"frame_error\": " << (bench.sticky() ? "true" : "false")
                  << ", \"seconds\": " << took.count()
                  << ", \"processor_seconds\": " << processor << "}\n";
        if (!finished) std::cerr << "did not finish in " << bench.cycles() << " cycles\n";
        return finished && !bench.violations() && !differences ? 0 : 1;
    } catch (const std::invalid_argument& e) {
        std::cerr << "usage: sim --input DIR [--record DIR] [--expect DIR] [--seed N] [--idle CYCLES]"
                  << " [--limit CYCLES] [--reset-after WORDS] [--trace FILE]: " << e.what() << "\n";
        return 2;
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
