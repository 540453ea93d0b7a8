#include "net/client_address.hpp"

#include <vector>

#include "base/text.hpp"

namespace syncline::net {
namespace {

/// The parts between the separators that stand outside of quotes.
std::vector<std::string_view> split_unquoted(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == separator && !quoted) {
      parts.push_back(trim(text.substr(begin, at - begin)));
      begin = at + 1;
    }
  }
  parts.push_back(trim(text.substr(begin)));
  return parts;
}

/// The node of an element of Forwarded: `for=192.0.2.60;proto=http`, `For="[2001:db8::17]:4711"`.
std::string_view node_in(std::string_view element) {
  for (const std::string_view pair : split_unquoted(element, ';')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !equal_ignoring_case(trim(pair.substr(0, equals)), "for")) continue;
    std::string_view value = trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

/// The address of "192.0.2.60", "192.0.2.60:4711", "2001:db8::17" or "[2001:db8::17]:4711"; empty for other texts.
std::string_view address_in(std::string_view node) {
  if (node.starts_with('[')) {
    node = node.substr(1, node.find(']') == std::string_view::npos ? 0 : node.find(']') - 1);
  } else if (node.find(':') == node.rfind(':')) {
    node = node.substr(0, node.find(':'));
  }
  return parse_ip_address(node) ? node : std::string_view();
}

}  // namespace

std::string client_of(std::string_view peer, std::string_view list, const ProxyTrust& trust) {
  std::string_view client = peer;
  const auto entries = split_unquoted(list, ',');
  for (auto entry = entries.rbegin(); entry != entries.rend() && trust.proxies.contains(client); ++entry) {
    const std::string_view address = address_in(trust.by_forwarded ? node_in(*entry) : *entry);
    if (address.empty()) break;
    client = address;
  }
  return std::string(client);
}

}  // namespace syncline::net
