#include "net/gzip.hpp"

#include <zlib.h>

#include <cassert>

namespace syncline::net {
namespace {

constexpr int kLevel = 4;  // JSON shrinks by nine tenths here; higher levels cost more than they save
constexpr int kGzipWindowBits = 15 + 16;

}  // namespace

struct Gzip::State {
  z_stream stream{};
};

Gzip::Gzip() : state_(std::make_unique<State>()) {
  const int code = deflateInit2(&state_->stream, kLevel, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY);
  if (code != Z_OK) throw std::bad_alloc();
}

Gzip::~Gzip() { deflateEnd(&state_->stream); }

std::string Gzip::add(std::string_view bytes, Flush flush) {
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's own signature
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  char buffer[16 * 1024];
  do {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    deflate(&stream, flush == Flush::finish ? Z_FINISH : Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
  } while (stream.avail_out == 0);
  return out;
}

}  // namespace syncline::net
