#include "net/response_encoder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/content_coding.hpp"
#include "net/response_head.hpp"

namespace syncline::net {
namespace {

/// Answers smaller than one packet are not worth compressing.
constexpr std::size_t kGzipBytesMin = 1400;
/// Answers larger than this are compressed on a worker: the loop has others to serve.
constexpr std::size_t kGzipInlineBytes = 256UL * 1024;

std::unique_ptr<http::BodySource> take_source(http::Response& response) {
  auto* source = std::get_if<std::unique_ptr<http::BodySource>>(&response.body);
  return source != nullptr ? std::move(*source) : nullptr;
}

}  // namespace

ResponseEncoder::ResponseEncoder(http::Response response, const Request& request)
    : response_(std::move(response)),
      request_(request),
      source_(take_source(response_)),
      is_bodiless_(response_.status == 204 || response_.status == 304),
      gzip_wanted_(wants_gzip()) {}

bool ResponseEncoder::is_slow_to_compress() const {
  return gzip_wanted_ && !source_ && !response_.gzipped && whole_body().size() > kGzipInlineBytes;
}

void ResponseEncoder::compress() {
  response_.body = Gzip().add(whole_body(), Gzip::Flush::finish);
  response_.gzipped = true;
}

bool ResponseEncoder::ends_connection() const {
  if (!source_ || is_bodiless_) return false;
  return request_.is_http_1_0 || response_.content_type == "text/event-stream";
}

std::string ResponseEncoder::make_head(bool keep_alive, std::string_view request_id) {
  HeadOptions options{.keep_alive = keep_alive,
                      .gzipped = gzip_wanted_ && !is_bodiless_,
                      .varies_by_encoding = may_compress(),
                      .request_id = request_id};
  if (is_bodiless_) {
    options.framing = Framing::none;
  } else if (source_) {
    options.framing = request_.is_http_1_0 ? Framing::until_close : Framing::chunked;
    if (gzip_wanted_) gzip_.emplace();
  } else {
    if (gzip_wanted_ && !response_.gzipped) compress();
    options.body_bytes = whole_body().size();
  }
  if (request_.is_head || is_bodiless_) source_.reset();
  bytes_out_ = body().size();
  return net::make_head(response_, options);
}

std::string_view ResponseEncoder::body() const {
  return request_.is_head || is_bodiless_ ? std::string_view{} : whole_body();
}

ResponseEncoder::Next ResponseEncoder::next_piece() {
  for (;;) {
    auto next = source_->next();
    if (std::holds_alternative<http::BodySource::Wait>(next)) return Wait{};
    if (std::holds_alternative<http::BodySource::Abort>(next)) return Abort{};
    const bool is_last = std::holds_alternative<http::BodySource::End>(next);
    std::string bytes;
    if (auto* chunk = std::get_if<http::BodySource::Chunk>(&next)) {
      bytes = gzip_ ? gzip_->add(*chunk->bytes, Gzip::Flush::no) : *chunk->bytes;
    } else if (gzip_) {
      bytes = gzip_->add({}, Gzip::Flush::finish);
    }
    bytes_out_ += bytes.size();
    std::string framed = frame(bytes, is_last);
    if (!framed.empty() || is_last) return Piece{std::move(framed), is_last};
  }
}

std::string_view ResponseEncoder::whole_body() const {
  if (const auto* text = std::get_if<std::string>(&response_.body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response_.body)) return **shared;
  return {};
}

bool ResponseEncoder::may_compress() const {
  if (std::ranges::find(response_.headers, "Content-Encoding", &http::Header::name) != response_.headers.end()) {
    return false;  // it comes compressed
  }
  const std::string_view type = response_.content_type;
  return type != "text/event-stream" && (type.starts_with("application/json") || type.starts_with("text/") ||
                                         type.starts_with("application/problem+json"));
}

bool ResponseEncoder::wants_gzip() const {
  if (response_.gzipped) return true;
  if (!may_compress() || request_.headers == nullptr) return false;
  if (!source_ && whole_body().size() < kGzipBytesMin) return false;
  return http::accepts_coding(request_.headers->find("Accept-Encoding"), "gzip");
}

std::string ResponseEncoder::frame(const std::string& bytes, bool is_last) const {
  if (request_.is_http_1_0) return bytes;
  std::string framed;
  if (!bytes.empty()) {
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
    framed.reserve(bytes.size() + 32);
    framed.append(size, end).append("\r\n").append(bytes).append("\r\n");
  }
  if (is_last) framed += "0\r\n\r\n";
  return framed;
}

}  // namespace syncline::net
