#include "net/request_reader.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "net/request_body.hpp"
#include "net/request_shape.hpp"
#include "net/upgrade_request.hpp"

namespace syncline::net {
namespace {

namespace beast = boost::beast;

/// A connection that waits for its next request keeps no more.
constexpr std::size_t kIdleBufferBytesMax = 8UL << 10U;
/// What chunks may bring beside the body: a client that sends byte by byte needs 5 bytes for each, and an endless
/// extension ends here.
constexpr std::size_t kFramingBytesMax = 16UL << 10U;
constexpr std::size_t kFramingBytesPerBodyByte = 16;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

RequestShape shape_of(const beast::http::request<RequestBody>& request) {
  RequestShape shape{.is_http_1_0 = request.version() < 11, .target = view(request.target())};
  for (const auto& field : request) {
    if (field.name() == beast::http::field::host) {
      shape.hosts += 1;
      shape.host = view(field.value());
    } else if (field.name() == beast::http::field::transfer_encoding) {
      shape.transfer_encodings += 1;
      shape.transfer_encoding = view(field.value());
    }
  }
  return shape;
}

}  // namespace

struct RequestReader::State {
  using Parser = beast::http::request_parser<RequestBody>;

  [[nodiscard]] const Parser::value_type& request() const { return parser->get(); }

  Parsed refuse(int status, std::string detail) {
    fault = {status, std::move(detail)};
    return Parsed::malformed;
  }

  beast::flat_buffer buffer;
  std::optional<Parser> parser;
  std::optional<AbsoluteTarget> absolute;
  std::size_t head_bytes = 0;
  std::size_t framing_bytes = 0;
  Fault fault;
};

RequestReader::RequestReader() : state_(std::make_unique<State>()) {}

RequestReader::~RequestReader() = default;

void RequestReader::begin() {
  if (state_->buffer.size() == 0 && state_->buffer.capacity() > kIdleBufferBytesMax) state_->buffer.shrink_to_fit();
  state_->parser.emplace();
  state_->absolute.reset();
  state_->head_bytes = 0;
  state_->framing_bytes = 0;
  state_->parser->header_limit(limits::kHeaderBytesMax);
  state_->parser->body_limit(std::numeric_limits<std::uint64_t>::max());  // the route's own limit comes with the head
}

bool RequestReader::has_bytes() const { return state_->buffer.size() > 0; }

std::span<char> RequestReader::prepare(std::size_t bytes) {
  const auto room = state_->buffer.prepare(bytes);
  return {static_cast<char*>(room.data()), room.size()};
}

void RequestReader::commit(std::size_t bytes) { state_->buffer.commit(bytes); }

RequestReader::Parsed RequestReader::parse() {
  boost::system::error_code error;
  const bool had_head = has_head();
  const std::size_t body_before = had_head ? body_bytes() : 0;
  const std::size_t used = state_->parser->put(state_->buffer.data(), error);
  const bool folded = !had_head && has_folded_line({static_cast<const char*>(state_->buffer.data().data()), used});
  state_->buffer.consume(used);
  if (folded) return state_->refuse(400, "a header line continues the one before");
  if (error && error != beast::http::error::need_more) {
    if (error == beast::http::error::header_limit) return state_->refuse(431, "the header is larger than 16 KiB");
    return state_->refuse(400, "not an HTTP/1.1 request: " + error.message());
  }
  if (had_head) {
    state_->framing_bytes += used - (body_bytes() - body_before);
    const std::size_t waiting = error ? state_->buffer.size() : 0;  // a line that does not end
    if (state_->framing_bytes + waiting > kFramingBytesMax + kFramingBytesPerBodyByte * body_bytes()) {
      return state_->refuse(400, "the chunks have more header than body");
    }
  } else {
    // The parser's own limit holds for what it looks at in one call.
    state_->head_bytes += used;
    if (state_->head_bytes > limits::kHeaderBytesMax) return state_->refuse(431, "the header is larger than 16 KiB");
    if (has_head()) {
      const auto checked = check_shape(shape_of(state_->request()));
      if (!checked) return state_->refuse(400, checked.error().text);
      state_->absolute = parse_absolute_target(view(state_->request().target()));
    }
  }
  return error || used == 0 ? Parsed::need_more : Parsed::some;
}

const RequestReader::Fault& RequestReader::fault() const { return state_->fault; }

bool RequestReader::has_head() const { return state_->parser && state_->parser->is_header_done(); }

bool RequestReader::is_done() const { return state_->parser->is_done(); }

std::string_view RequestReader::method() const { return view(state_->request().method_string()); }

std::string_view RequestReader::target() const {
  return state_->absolute ? std::string_view(state_->absolute->path) : view(state_->request().target());
}

std::string_view RequestReader::find(std::string_view name) const {
  if (state_->absolute && equal_ignoring_case(name, "Host")) return state_->absolute->host;
  const auto& fields = state_->request();
  const auto found = fields.find(beast::string_view(name.data(), name.size()));
  if (found == fields.end()) return {};
  return view(found->value());
}

std::string RequestReader::join(std::string_view name) const {
  std::string joined;
  const auto [begin, end] = state_->request().equal_range(beast::string_view(name.data(), name.size()));
  for (auto field = begin; field != end; ++field) {
    if (!joined.empty()) joined += ',';
    joined += view(field->value());
  }
  return joined;
}

bool RequestReader::keep_alive() const { return state_->request().keep_alive(); }

bool RequestReader::is_http_1_0() const { return state_->request().version() < 11; }

bool RequestReader::is_upgrade() const { return beast::websocket::is_upgrade(state_->request()); }

std::optional<std::uint64_t> RequestReader::content_length() const {
  const auto length = state_->parser->content_length();
  if (!length) return std::nullopt;
  return *length;
}

std::optional<std::uint64_t> RequestReader::body_bytes_left() const {
  const auto left = state_->parser->content_length_remaining();
  if (!left) return std::nullopt;
  return *left;
}

std::size_t RequestReader::body_bytes() const { return state_->request().body().size(); }

void RequestReader::drop_body() {
  std::string().swap(state_->parser->get().body());  // an assignment would keep the memory
  state_->buffer = beast::flat_buffer();
}

std::string RequestReader::take_body() { return std::move(state_->parser->get().body()); }

std::shared_ptr<UpgradeRequest> RequestReader::release() {
  return std::make_shared<UpgradeRequest>(state_->parser->release());
}

}  // namespace syncline::net
