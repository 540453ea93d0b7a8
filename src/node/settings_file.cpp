#include "node/settings_file.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file_descriptor.hpp"
#include "base/text.hpp"
#include "node/yaml_edit.hpp"

namespace syncline::node {
namespace {

std::string place(const std::string& file, const YAML::Mark& mark) {
  return file + ':' + std::to_string(mark.line + 1) + ':' + std::to_string(mark.column + 1) + ": ";
}

class Reader {
 public:
  Reader(std::string file, const YAML::Node& root) : file_(std::move(file)), root_(root) {}

  Result<> text(const char* section, const char* key, std::string& into) {
    TRY(const auto value, scalar(section, key));
    if (value) into = value->Scalar();
    return {};
  }

  Result<> boolean(const char* section, const char* key, bool& into) {
    TRY(const auto value, scalar(section, key));
    if (value && !YAML::convert<bool>::decode(*value, into)) return wrong(*value, key, "must be true or false");
    return {};
  }

  Result<> seconds(const char* section, const char* key, std::int64_t& into) {
    TRY(const auto value, scalar(section, key));
    if (!value) return {};
    const auto number = parse_integer(value->Scalar());
    if (!number || *number < 1 || *number > 86'400) {
      return wrong(*value, key, "must be a number of seconds from 1 to 86400");
    }
    into = *number;
    return {};
  }

 private:
  Result<std::optional<YAML::Node>> scalar(const char* section, const char* key) {
    const YAML::Node map = root_[section];
    if (!map || map.IsNull()) return std::nullopt;
    if (!map.IsMap()) return wrong(map, section, "must be a map");
    YAML::Node value = map[key];
    if (!value || value.IsNull()) return std::nullopt;
    if (!value.IsScalar()) return wrong(value, key, "must be a single value");
    return value;
  }

  std::unexpected<Error> wrong(const YAML::Node& node, const std::string& key, const std::string& what) {
    return fail(ErrorCode::invalid_argument, place(file_, node.Mark()) + "'" + key + "' " + what);
  }

  const std::string file_;
  const YAML::Node root_;
};

Result<ProfileSettings> parse_settings(const std::string& file, const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    ProfileSettings settings;
    if (root.IsNull()) return settings;
    if (!root.IsMap())
      return fail(ErrorCode::invalid_argument, place(file, root.Mark()) + "the settings must be a map");
    Reader reader(file, root);
    CHECK_OK(reader.boolean("cloud_sync", "enabled", settings.enabled));
    CHECK_OK(reader.text("cloud_sync", "url", settings.url));
    CHECK_OK(reader.text("cloud_sync", "api_key", settings.api_key));
    CHECK_OK(reader.text("cloud_sync", "ca_file", settings.ca_file));
    CHECK_OK(reader.seconds("cloud_sync", "interval", settings.interval_s));
    CHECK_OK(reader.text("ai", "advisor_model", settings.advisor_model));
    CHECK_OK(reader.text("ai", "cron_model", settings.cron_model));
    return settings;
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument, place(file, exception.mark) + exception.msg);
  }
}

std::unexpected<Error> system_error(const std::string& what) {
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::storage_full : ErrorCode::unavailable;
  return fail(code, what + ": " + std::strerror(errno));
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    if (errno == ENOENT) return std::string();
    return system_error("cannot read " + path);
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

Result<> replace_file(const std::string& path, const std::string& text) {
  const std::string partial = path + ".partial";
  {
    const FileDescriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_error("cannot write " + partial);
    std::string_view left = text;
    while (!left.empty()) {
      const ssize_t written = ::write(file.get(), left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("cannot write " + partial);
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) return system_error("cannot write " + partial);
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) return system_error("cannot replace " + path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return system_error("cannot write " + folder);
  return {};
}

SettingsFile::Stamp SettingsFile::stamp() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return {};
  return {status.st_size, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

void SettingsFile::refresh() {
  const Stamp now = stamp();
  if (read_ == now) return;
  read_ = now;
  const auto text = read_file(path_);
  const std::string name = std::filesystem::path(path_).filename().string();
  auto parsed = text ? parse_settings(name, *text) : Result<ProfileSettings>(std::unexpected(text.error()));
  if (parsed) {
    values_ = *std::move(parsed);
    error_.clear();
  } else {
    error_ = parsed.error().text;
  }
}

Result<> SettingsFile::set(const std::vector<Change>& changes) {
  refresh();
  if (!error_.empty()) return fail(ErrorCode::conflict, error_ + "; fix the file first");
  TRY(std::string text, read_file(path_));
  for (const Change& change : changes) {
    auto edited = set_in_yaml(text, change.section, change.key, change.yaml);
    if (!edited) return fail(edited.error().code, path_ + ": " + edited.error().text);
    text = *std::move(edited);
  }
  CHECK_OK(replace_file(path_, text));
  read_.reset();
  refresh();
  return {};
}

}  // namespace syncline::node
