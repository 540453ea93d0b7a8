// Reading what hubs answer.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace syncline::replica {

/// An answer that makes no sense: worth another try, for the next one may.
[[nodiscard]] std::unexpected<Error> not_understood(std::string_view what);

/// The checked text of an answer, which stays where it is while views into it are handed on. `has_doubtful_values`, if
/// not null: values that cannot be stored (lone surrogates, huge numbers) are no reason to refuse it, but are reported.
[[nodiscard]] Result<std::unique_ptr<std::string>> check_answer(std::string body, bool* has_doubtful_values = nullptr);

/// A member that is a string; `texts` keeps it if it had to be unescaped.
[[nodiscard]] std::optional<std::string_view> text_in(std::deque<std::string>& texts, JsonView json,
                                                      std::string_view name);

[[nodiscard]] bool is_json_object(const std::string& body);

/// What an answer other than 200 means. One without the words of an API is not the hub's, whatever its status: some
/// network on the way wants a login, or a proxy is in trouble; only 413 is taken from a proxy, too. Else:
/// epoch_changed, cursor_expired or cursor_ahead (resync), unauthorized (reauth), unavailable (retry later),
/// invalid_argument (the hub does not take this request), or not_found (no such hub).
[[nodiscard]] Error error_of(const http::ClientResponse& response);

}  // namespace syncline::replica
