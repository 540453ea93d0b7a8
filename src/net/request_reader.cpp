#include "net/request_reader.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "net/upgrade_request.hpp"

namespace syncline::net {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct RequestReader::State {
  using Parser = beast::http::request_parser<beast::http::string_body>;

  [[nodiscard]] const Parser::value_type& request() const { return parser->get(); }

  beast::flat_buffer buffer;
  std::optional<Parser> parser;
  Fault fault;
};

RequestReader::RequestReader() : state_(std::make_unique<State>()) {}

RequestReader::~RequestReader() = default;

void RequestReader::begin() {
  state_->parser.emplace();
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
  const std::size_t used = state_->parser->put(state_->buffer.data(), error);
  state_->buffer.consume(used);
  if (error == beast::http::error::need_more || (!error && used == 0)) return Parsed::need_more;
  if (!error) return Parsed::some;
  if (error == beast::http::error::header_limit) {
    state_->fault = {431, "the header is larger than 16 KiB"};
  } else {
    state_->fault = {400, "not an HTTP/1.1 request: " + error.message()};
  }
  return Parsed::malformed;
}

const RequestReader::Fault& RequestReader::fault() const { return state_->fault; }

bool RequestReader::has_head() const { return state_->parser && state_->parser->is_header_done(); }

bool RequestReader::is_done() const { return state_->parser->is_done(); }

std::string_view RequestReader::method() const { return view(state_->request().method_string()); }

std::string_view RequestReader::target() const { return view(state_->request().target()); }

std::string_view RequestReader::find(std::string_view name) const {
  const auto& fields = state_->request();
  const auto found = fields.find(beast::string_view(name.data(), name.size()));
  if (found == fields.end()) return {};
  return view(found->value());
}

bool RequestReader::keep_alive() const { return state_->request().keep_alive(); }

bool RequestReader::is_http_1_0() const { return state_->request().version() < 11; }

bool RequestReader::is_upgrade() const { return beast::websocket::is_upgrade(state_->request()); }

std::optional<std::uint64_t> RequestReader::content_length() const {
  const auto length = state_->parser->content_length();
  if (!length) return std::nullopt;
  return *length;
}

std::size_t RequestReader::body_bytes() const { return state_->request().body().size(); }

std::string RequestReader::take_body() { return std::move(state_->parser->get().body()); }

std::shared_ptr<UpgradeRequest> RequestReader::release() {
  return std::make_shared<UpgradeRequest>(state_->parser->release());
}

}  // namespace syncline::net
