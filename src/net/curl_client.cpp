#include "net/curl_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/answer_head.hpp"

namespace syncline::net {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr int kPollMs = 1000;  // an upper bound: data and wake-ups end a wait at once
/// An answer that has begun, and brings fewer bytes than this in so long, is none: a proxy holds it.
constexpr std::int64_t kSlowAnswerMs = 20'000;
constexpr std::int64_t kAnswerBytesPerSecondMin = 50;

std::int64_t answer_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// Why a server's certificate was not accepted, from what libcurl says of it.
std::string explain_certificate(std::string_view detail, std::string_view advice) {
  if (detail.contains("subject name")) return "its TLS certificate is for another host name";
  for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (detail.starts_with(prefix)) detail.remove_prefix(prefix.size());
  }
  std::string text = "its TLS certificate is not trusted";
  if (!detail.empty()) text.append(" (").append(detail).append(")");
  const bool is_about_issuer = detail.contains("issuer") || detail.contains("self-signed");
  if (is_about_issuer && !advice.empty()) text.append("; ").append(advice);
  return text;
}

bool begins_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || text[first] == '{' || text[first] == '[';
}

struct EasyCloser {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct MultiCloser {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct ListCloser {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

class CurlClient final : public http::Client {
 public:
  explicit CurlClient(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token stop) override {
    return perform(request, nullptr, stop);
  }
  Result<http::ClientResponse> stream(const http::ClientRequest& request,
                                      const std::function<void(std::string_view)>& take,
                                      std::stop_token stop) override {
    return perform(request, &take, stop);
  }

  void renew_connection() override {
    easy_.reset();
    multi_.reset();
  }

 private:
  struct Receiver {
    CURL* easy = nullptr;
    const std::function<void(std::string_view)>* take = nullptr;
    const Endpoint* endpoint = nullptr;
    std::size_t bytes_max = 0;
    AnswerHead head;
    std::string body;
    bool is_full = false;  // the body was longer
    bool address_refused = false;
    bool must_be_json = false;
    bool is_other = false;                 // it is not JSON
    bool is_slow = false;                  // it does not end
    std::optional<std::int64_t> began_ms;  // its first header
    std::int64_t bytes = 0;                // of the body, and of what was left out of it
    std::array<char, CURL_ERROR_SIZE> detail{};
  };

  /// What a connection goes to is decided here, after names were resolved.
  static curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* to) {
    Receiver& receiver = *static_cast<Receiver*>(user);
    std::string_view address;
    if (to->family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&to->addr);
      address = {reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr};
    } else if (to->family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&to->addr);
      address = {reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr};
    }
    if (!receiver.endpoint->allows_address(address)) {
      receiver.address_refused = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* user) {
    Receiver& receiver = *static_cast<Receiver*>(user);
    receiver.bytes += static_cast<std::int64_t>(size);
    long status = 0;
    curl_easy_getinfo(receiver.easy, CURLINFO_RESPONSE_CODE, &status);
    if (receiver.take != nullptr && status == 200) {
      (*receiver.take)({data, size});
      return size;
    }
    const bool is_success = status / 100 == 2;
    receiver.is_other = receiver.must_be_json && receiver.body.empty() && !begins_like_json({data, size});
    if (receiver.is_other) return 0;
    const std::size_t most = is_success ? receiver.bytes_max : limits::kErrorAnswerBytesMax;
    if (receiver.body.empty() && is_success) {
      curl_off_t announced = 0;
      curl_easy_getinfo(receiver.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
      receiver.is_full = announced > 0 && std::cmp_greater(announced, most) && !receiver.endpoint->allows_address;
      if (receiver.is_full) return 0;  // why read what cannot be taken
      if (announced > 0) receiver.body.reserve(std::min(static_cast<std::size_t>(announced), most));
    }
    const std::size_t taken = std::min(size, most - receiver.body.size());
    receiver.body.append(data, taken);
    receiver.is_full = taken < size;
    return taken;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
    Receiver& receiver = *static_cast<Receiver*>(user);
    if (!receiver.began_ms) receiver.began_ms = answer_clock_ms();
    return receiver.head.take({data, size}) ? size : 0;
  }

  std::unique_ptr<curl_slist, ListCloser> make_headers(const http::ClientRequest& request) const {
    std::vector<std::string> lines = {"Expect:"};
    if (!endpoint_.token.empty()) lines.push_back("Authorization: Bearer " + endpoint_.token);
    const bool has_type =
        std::ranges::find(request.headers, "Content-Type", &http::Header::name) != request.headers.end();
    if (!request.body.empty() && !has_type) lines.emplace_back("Content-Type: application/json");
    for (const http::Header& header : request.headers) lines.push_back(std::string(header.name) + ": " + header.value);
    std::unique_ptr<curl_slist, ListCloser> list;
    for (const std::string& line : lines) list.reset(curl_slist_append(list.release(), line.c_str()));
    return list;
  }

  /// The handles are kept: they hold the connection.
  bool prepare() {
    if (!multi_) multi_.reset(curl_multi_init());
    if (!easy_) easy_.reset(curl_easy_init());
    if (!multi_ || !easy_) return false;
    curl_easy_reset(easy_.get());
    return true;
  }

  void set_options(const http::ClientRequest& request, const curl_slist* headers, Receiver& receiver) {
    CURL* easy = easy_.get();
    const std::string url = endpoint_.url + request.target;
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    if (endpoint_.is_direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    // The system's directory of certificates counts as well.
    if (!endpoint_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, endpoint_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, receiver.detail.data());
    if (endpoint_.compresses) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlClient::on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &receiver);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlClient::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &receiver);
    if (endpoint_.allows_address) {
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlClient::on_open_socket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &receiver);
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (receiver.take == nullptr) {
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
    } else {
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.timeout_ms / 1000));
    }
    if (request.method != http::Method::get) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, std::string(http::to_text(request.method)).c_str());
    }
  }

  Result<http::ClientResponse> perform(const http::ClientRequest& request,
                                       const std::function<void(std::string_view)>* take, const std::stop_token& stop) {
    const auto unavailable = [this](std::string_view what) {
      return fail(ErrorCode::unavailable, endpoint_.url + ": " + std::string(what));
    };
    if (!prepare()) return unavailable("libcurl cannot start");
    Receiver receiver{.easy = easy_.get(),
                      .take = take,
                      .endpoint = &endpoint_,
                      .bytes_max = request.answer_bytes_max,
                      .head = AnswerHead(endpoint_.compresses),
                      .must_be_json = request.must_be_json};
    const auto headers = make_headers(request);
    set_options(request, headers.get(), receiver);
    if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) return unavailable("libcurl cannot start");
    CURLcode outcome = CURLE_OK;
    {
      const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_.get()); });
      outcome = run(stop, receiver);
    }
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
    curl_multi_remove_handle(multi_.get(), easy_.get());
    // The same words for a name that leads to a private address and for one that leads nowhere: whoever chooses the
    // name would learn otherwise which names exist in there.
    curl_off_t name_was_found_after_us = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_NAMELOOKUP_TIME_T, &name_was_found_after_us);
    const char* peer = nullptr;  // a connection that was kept has one, and no look-up
    curl_easy_getinfo(easy_.get(), CURLINFO_PRIMARY_IP, &peer);
    const bool has_peer = peer != nullptr && *peer != '\0';
    const bool was_not_found = outcome == CURLE_OPERATION_TIMEDOUT && name_was_found_after_us == 0 && !has_peer;
    const bool is_unknown_name = endpoint_.allows_address && (was_not_found || outcome == CURLE_COULDNT_RESOLVE_HOST);
    if (is_unknown_name || (receiver.address_refused && outcome != CURLE_OK)) {
      return fail(ErrorCode::forbidden, endpoint_.url + ": it has no address that is public or allowed");
    }
    if (const auto fault = receiver.head.fault()) return fail(fault->code, endpoint_.url + ": " + fault->text);
    if (receiver.is_full && status / 100 == 2 && !endpoint_.allows_address) {
      return fail(ErrorCode::answer_too_large,
                  endpoint_.url + ": the answer is larger than " + std::to_string(request.answer_bytes_max) + " bytes");
    }
    if (receiver.is_slow) return unavailable("the answer does not end");
    if (receiver.is_other && status / 100 == 2) return unavailable("the answer is not JSON, so it is not the hub's");
    if (receiver.is_full || receiver.is_other) outcome = CURLE_OK;  // the status of an error says enough
    if (outcome == CURLE_ABORTED_BY_CALLBACK) return unavailable("stopped");
    if (outcome == CURLE_OPERATION_TIMEDOUT) {
      return fail(ErrorCode::timed_out, endpoint_.url + ": no answer in time");
    }
    if (outcome == CURLE_PEER_FAILED_VERIFICATION) {
      return unavailable(explain_certificate(receiver.detail.data(), endpoint_.ca_advice));
    }
    if (outcome == CURLE_SSL_CACERT_BADFILE) return unavailable("cannot read certificates from " + endpoint_.ca_file);
    if (outcome != CURLE_OK) return unavailable(curl_easy_strerror(outcome));
    http::ClientResponse response{static_cast<int>(status), std::move(receiver.body), std::nullopt};
    if (retry_after > 0) response.retry_after_s = retry_after;
    return response;
  }

  CURLcode run(const std::stop_token& stop, Receiver& receiver) {
    for (;;) {
      int running = 0;
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
      const std::int64_t age_ms = receiver.began_ms ? answer_clock_ms() - *receiver.began_ms : 0;
      receiver.is_slow =
          receiver.must_be_json && age_ms > kSlowAnswerMs && receiver.bytes * 1000 < kAnswerBytesPerSecondMin * age_ms;
      if (receiver.is_slow) return CURLE_ABORTED_BY_CALLBACK;
      curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    }
  }

  const Endpoint endpoint_;
  std::unique_ptr<CURLM, MultiCloser> multi_;
  std::unique_ptr<CURL, EasyCloser> easy_;  // before multi_ on the way out
};

}  // namespace

Result<Endpoint> make_endpoint(std::string url, std::string token) {
  while (url.ends_with('/')) url.pop_back();
  const auto refuse = [&](std::string_view what) {
    const std::string shown = url.find('@') == std::string::npos ? " '" + url + "'" : "";  // it may hold a password
    return fail(ErrorCode::invalid_argument, "the URL" + shown + " " + std::string(what));
  };
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return refuse("is invalid; use the form http://127.0.0.1:8080");
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return std::string();
    std::string copy(text);
    curl_free(text);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("must begin with http:// or https://");
  if (!part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty())
    return refuse("must not have a query or a fragment");
  if (!part(CURLUPART_USER).empty()) return refuse("must not contain a user name; set the key separately");
  for (const char c : token) {
    if (c <= ' ' || c > '~') return fail(ErrorCode::invalid_argument, "the key contains invalid characters");
  }
  if (token.empty()) return fail(ErrorCode::invalid_argument, "the key is empty");
  return Endpoint{.url = std::move(url), .token = std::move(token), .allows_address = {}};
}

http::ClientFactory make_client_factory(Endpoint endpoint) {
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kInitialised;
  return [endpoint = std::move(endpoint)] { return std::make_unique<CurlClient>(endpoint); };
}

}  // namespace syncline::net
