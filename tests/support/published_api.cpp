#include "support/published_api.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "base/text.hpp"
#include "base/time.hpp"

namespace syncline::test {
namespace {

/// Elements of a list that are looked at: the next ones are made by the same lines.
constexpr std::size_t kElementsMax = 100;
constexpr std::string_view kReferencePrefix = "#/components/schemas/";

std::string text_of(JsonView string) { return string.as_string().value_or(""); }

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view part : split(path, '/')) segments.emplace_back(part);
  return segments;
}

bool is_parameter(const std::string& segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(pattern, path,
                            [](const auto& one, const auto& other) { return is_parameter(one) || one == other; });
}

bool is_of_type(JsonView value, std::string_view type) {
  switch (value.kind()) {
    case JsonKind::null: return type == "null";
    case JsonKind::boolean: return type == "boolean";
    case JsonKind::number: return type == "number" || (type == "integer" && value.as_integer());
    case JsonKind::string: return type == "string";
    case JsonKind::array: return type == "array";
    case JsonKind::object: return type == "object";
  }
  return false;
}

bool has_type(JsonView value, JsonView type) {
  if (type.is_string()) return is_of_type(value, text_of(type));
  bool found = false;
  type.for_each_element([&](JsonView one) { found = found || is_of_type(value, text_of(one)); });
  return found;
}

bool contains(JsonView list, JsonView value) {
  bool found = false;
  list.for_each_element([&](JsonView one) { found = found || same_json(one, value); });
  return found;
}

bool is_json(std::string_view media_type) { return media_type.find("json") != std::string_view::npos; }

/// A push takes what is right and says what is wrong: its body need not fit as a whole.
bool has_refusals(const Answer& answer) {
  constexpr std::array<std::string_view, 4> kSigns = {R"("refused")", R"("rejected")", R"("problems")", R"("ignored")"};
  return std::ranges::any_of(kSigns, [&](std::string_view sign) { return answer.body.contains(sign); });
}

}  // namespace

std::shared_ptr<const PublishedApi> PublishedApi::read(const std::string& document) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const PublishedApi>> known;
  const std::lock_guard lock(mutex);
  auto& api = known[document];
  if (!api) api = std::make_shared<const PublishedApi>(document);
  return api;
}

PublishedApi::PublishedApi(std::string document) : text_(std::move(document)) {
  const JsonView root(text_);
  root.find("components")->find("schemas")->for_each_member([&](std::string_view name, JsonView schema) {
    schemas_.emplace(name, schema);
  });
  root.find("paths")->for_each_member([&](std::string_view path, JsonView operations) {
    operations.for_each_member([&](std::string_view method, JsonView description) {
      operations_.push_back({segments_of(path), std::string(method), description});
    });
  });
}

const PublishedApi::Operation* PublishedApi::find(const RequestSpec& request) const {
  const std::vector<std::string> path = segments_of(request.target.substr(0, request.target.find('?')));
  const std::string method = lower_case(http::to_text(request.method));
  const auto parameters = [](const Operation& operation) {
    std::vector<bool> which;
    which.reserve(operation.segments.size());
    for (const std::string& segment : operation.segments) which.push_back(is_parameter(segment));
    return which;
  };
  const Operation* best = nullptr;  // with names where others have parameters
  for (const Operation& operation : operations_) {
    if (operation.method != method || !fits(operation.segments, path)) continue;
    if (best == nullptr || parameters(operation) < parameters(*best)) best = &operation;
  }
  return best;
}

std::vector<std::string> PublishedApi::faults(const RequestSpec& request, const Answer& answer) const {
  const Operation* operation = find(request);
  if (operation == nullptr) return {};
  Faults faults;
  const bool is_error = answer.status >= 400;
  const JsonView responses = *operation->description.find("responses");
  auto response = responses.find(std::to_string(answer.status));
  if (!response && is_error) response = responses.find("default");
  if (!response) return {"status " + std::to_string(answer.status) + " is not described"};
  const auto content = response->find("content");
  if (!content) {
    if (!answer.body.empty()) faults.emplace_back("the answer has a body, and the description has none");
    return faults;
  }
  const std::string& media_type = answer.headers.at("Content-Type");
  const auto described = content->find(media_type);
  if (!described) return {"the media type " + media_type + " is not described"};
  if (is_json(media_type)) check(*described->find("schema"), answer.json(), "answer", Unknown::fault, faults);
  if (!is_error && !has_refusals(answer)) {
    const Faults of_body = faults_of_body(request);
    faults.insert(faults.end(), of_body.begin(), of_body.end());
  }
  return faults;
}

std::vector<std::string> PublishedApi::faults_of_body(const RequestSpec& request) const {
  const Operation* operation = find(request);
  std::string sent = request.body;
  if (operation == nullptr || sent.empty() || check_json(sent, 1000).fault != JsonFault::none) return {};
  const auto body = operation->description.find("requestBody");
  // Clients send {} where there is nothing to say.
  if (!body) return sent == "{}" ? Faults{} : Faults{"the request has a body, and the description has none"};
  Faults faults;
  const JsonView schema = *body->find("content")->find("application/json")->find("schema");
  check(schema, JsonView(sent), "request", Unknown::allowed, faults);
  return faults;
}

std::vector<std::string> PublishedApi::repeated_members() const {
  Faults faults;
  const std::function<void(JsonView, const std::string&)> look = [&](JsonView value, const std::string& where) {
    if (value.is_array()) return value.for_each_element([&](JsonView element) { look(element, where + "[]"); });
    if (!value.is_object()) return;
    std::set<std::string> names;
    value.for_each_member([&](std::string_view name, JsonView member) {
      const std::string place = where + '.' + std::string(name);
      if (!names.emplace(name).second) faults.push_back(place);
      look(member, place);
    });
  };
  look(JsonView(text_), "");
  return faults;
}

std::set<std::string> PublishedApi::operations() const {
  std::set<std::string> all;
  for (const Operation& operation : operations_) {
    const std::vector<std::string_view> segments(operation.segments.begin(), operation.segments.end());
    all.insert(operation.method + " /" + join(segments, "/"));
  }
  return all;
}

const JsonView* PublishedApi::find_schema(JsonView reference) const {
  const std::string text = text_of(reference);
  if (!text.starts_with(kReferencePrefix)) return nullptr;
  const auto found = schemas_.find(std::string_view(text).substr(kReferencePrefix.size()));
  return found == schemas_.end() ? nullptr : &found->second;
}

void PublishedApi::check(JsonView schema, JsonView value, const std::string& where, Unknown unknown,
                         Faults& faults) const {
  if (const auto reference = schema.find("$ref")) {
    const JsonView* target = find_schema(*reference);
    if (target == nullptr) return faults.push_back(where + " has no schema " + text_of(*reference));
    return check(*target, value, where, unknown, faults);
  }
  if (const auto choices = schema.find("anyOf")) {
    Faults all;
    bool fits_one = false;
    choices->for_each_element([&](JsonView choice) {
      Faults of_one;
      if (!fits_one) check(choice, value, where, unknown, of_one);
      fits_one = fits_one || of_one.empty();
      all.insert(all.end(), of_one.begin(), of_one.end());
    });
    if (!fits_one) faults.insert(faults.end(), all.begin(), all.end());
    return;
  }
  const std::string shown = where + " is " + std::string(value.raw().substr(0, 200)) + ", ";
  if (const auto type = schema.find("type"); type && !has_type(value, *type)) {
    return faults.push_back(shown + "not " + std::string(type->raw()));
  }
  if (const auto names = schema.find("enum"); names && !contains(*names, value)) {
    faults.push_back(shown + "none of " + std::string(names->raw()));
  }
  if (const auto only = schema.find("const"); only && !same_json(*only, value)) {
    faults.push_back(shown + "not " + std::string(only->raw()));
  }
  if (const auto format = schema.find("format"); format && value.is_string() && text_of(*format) == "date-time") {
    if (!parse_iso_or_utc_time(text_of(value))) faults.push_back(shown + "not a time");
  }
  if (const auto least = schema.find("minimum"); least && value.kind() == JsonKind::number) {
    if (value.as_number().value_or(0) < least->as_number().value_or(0)) faults.push_back(shown + "too small");
  }
  if (const auto least = schema.find("minLength"); least && value.is_string()) {
    if (static_cast<std::int64_t>(text_of(value).size()) < least->as_integer().value_or(0)) {
      faults.push_back(shown + "too short");
    }
  }
  if (value.is_object()) check_object(schema, value, where, unknown, faults);
  if (value.is_array()) check_array(schema, value, where, unknown, faults);
}

void PublishedApi::check_object(JsonView schema, JsonView value, const std::string& where, Unknown unknown,
                                Faults& faults) const {
  if (const auto required = schema.find("required")) {
    required->for_each_element([&](JsonView name) {
      if (!value.find(text_of(name))) faults.push_back(where + " lacks " + text_of(name));
    });
  }
  const auto properties = schema.find("properties");
  const auto others = schema.find("additionalProperties");
  if (!properties && !others) return;
  value.for_each_member([&](std::string_view name, JsonView member) {
    const std::string place = where + '.' + std::string(name);
    const auto known = properties ? properties->find(name) : std::nullopt;
    if (known) {
      check(*known, member, place, unknown, faults);
    } else if (others && others->is_object()) {
      check(*others, member, place, unknown, faults);
    } else if (!others && unknown == Unknown::fault) {
      faults.push_back(place + " is not described");
    }
  });
}

void PublishedApi::check_array(JsonView schema, JsonView value, const std::string& where, Unknown unknown,
                               Faults& faults) const {
  const auto items = schema.find("items");
  std::size_t count = 0;
  value.for_each_element([&](JsonView element) {
    if (items && count < kElementsMax) {
      check(*items, element, where + '[' + std::to_string(count) + ']', unknown, faults);
    }
    count += 1;
  });
  const auto bound = [&](std::string_view name) {
    const auto found = schema.find(name);
    return found ? found->as_integer() : std::nullopt;
  };
  if (const auto least = bound("minItems"); least && static_cast<std::int64_t>(count) < *least) {
    faults.push_back(where + " has too few elements");
  }
  if (const auto most = bound("maxItems"); most && static_cast<std::int64_t>(count) > *most) {
    faults.push_back(where + " has too many elements");
  }
}

std::vector<std::string> PublishedApi::faults_of_schemas() const {
  Faults faults;
  for (const auto& [name, schema] : schemas_) check_schema(schema, name, faults);
  for (const Operation& operation : operations_) {
    const std::string where =
        operation.method + ' ' +
        join(std::vector<std::string_view>(operation.segments.begin(), operation.segments.end()), "/");
    const auto check_content = [&](std::optional<JsonView> described) {
      const auto content = described ? described->find("content") : std::nullopt;
      if (!content) return;
      content->for_each_member(
          [&](std::string_view, JsonView of_type) { check_schema(*of_type.find("schema"), where, faults); });
    };
    check_content(operation.description.find("requestBody"));
    std::set<std::string> statuses;
    operation.description.find("responses")->for_each_member([&](std::string_view status, JsonView response) {
      if (!statuses.emplace(status).second) faults.push_back(where + " has two answers " + std::string(status));
      check_content(response);
    });
  }
  return faults;
}

void PublishedApi::check_schema(JsonView schema, const std::string& where, Faults& faults) const {
  constexpr auto kPlain = std::to_array<std::string_view>(
      {"type", "required", "enum", "const", "format", "minimum", "minLength", "minItems", "maxItems"});
  constexpr std::array<std::string_view, 2> kWords = {"description", "examples"};
  if (!schema.is_object()) return faults.push_back(where + " has a schema that is not an object");
  schema.for_each_member([&](std::string_view name, JsonView value) {
    const std::string place = where + '.' + std::string(name);
    if (name == "$ref") {
      if (find_schema(value) == nullptr) faults.push_back(where + " refers to " + text_of(value));
    } else if (name == "properties") {
      value.for_each_member(
          [&](std::string_view of, JsonView one) { check_schema(one, place + '.' + std::string(of), faults); });
    } else if (name == "anyOf") {
      value.for_each_element([&](JsonView one) { check_schema(one, place, faults); });
    } else if (name == "items" || (name == "additionalProperties" && value.is_object())) {
      check_schema(value, place, faults);
    } else if (name == "additionalProperties") {
      if (value.as_boolean() != true) faults.push_back(place + " must be true or a schema");
    } else if (std::ranges::find(kPlain, name) == kPlain.end() && std::ranges::find(kWords, name) == kWords.end()) {
      faults.push_back(place + " is a keyword that these tests do not know");
    }
  });
}

}  // namespace syncline::test
