// syncline import: lines of a file into spaces of this device or of a hub.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/exit_codes.hpp"
#include "app/feed_file.hpp"
#include "app/feed_pages.hpp"
#include "app/interrupt.hpp"
#include "app/invocation.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

constexpr std::size_t kBatchOps = 500;
constexpr std::size_t kBatchBytes = 4UL << 20U;
constexpr int kLinesShown = 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct ImportOptions {
  FeedServer server;
  std::vector<std::string> spaces;  // the one for all lines; where each says if empty
  std::string file;                 // "-": standard input
  std::int64_t from_line = 1;
};

class Import {
 public:
  Import(NodeClient& server, const ImportOptions& options, OutputForm form)
      : server_(server), options_(options), form_(form) {}

  Result<> run(std::istream& in) {
    std::string line;
    const InterruptWatch watch;
    while (std::getline(in, line)) {
      ++line_;
      bytes_ += static_cast<std::int64_t>(line.size()) + 1;
      // The first line says whether it is an export, also if its records are in already.
      const bool is_wanted = line_ >= options_.from_line || line_ == 1;
      if (line_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
      if (!is_wanted || trim(line).empty()) continue;
      const bool is_cut = in.eof();
      auto read = read_feed_line(line);
      if (!read && is_cut && is_export_) break;
      if (!read) {
        leave_out(read.error());
        continue;
      }
      is_export_ = is_export_ || read->kind == FeedLine::Kind::head;
      has_end_ = has_end_ || read->kind == FeedLine::Kind::end;
      if (read->kind != FeedLine::Kind::record || line_ < options_.from_line) continue;
      const std::string space = options_.spaces.empty() ? read->space : options_.spaces.front();
      if (space.empty()) {
        return failed(
            {ErrorCode::invalid_argument, "line " + std::to_string(line_) + " has no space; use --space SPACE"});
      }
      const bool is_full = count_ == kBatchOps || ops_.size() + read->op.size() > kBatchBytes;
      if (count_ > 0 && (space != space_ || is_full)) CHECK_OK(push(line_ - 1));
      if (InterruptWatch::interrupted()) return interrupted();
      space_ = space;
      if (count_++ > 0) ops_ += ',';
      ops_ += read->op;
      lines_.push_back(line_);
    }
    // A signal while the program waits for its input looks like the end of it.
    if (InterruptWatch::interrupted()) return interrupted();
    if (count_ > 0) CHECK_OK(push(line_));
    if (left_out_ > 0 && counts_.empty() && !is_export_) {
      return fail(ErrorCode::invalid_argument, "there is no line that can be imported");
    }
    return {};
  }

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  /// Lines that are not in the space: unreadable ones, and those that the server rejected.
  [[nodiscard]] std::int64_t missing() const { return left_out_ + count_of("refused"); }
  /// Somebody stopped it.
  [[nodiscard]] bool is_interrupted() const { return is_interrupted_; }
  /// It is an export that was interrupted.
  [[nodiscard]] bool is_unfinished() const { return is_export_ && !has_end_; }

  [[nodiscard]] std::string summary() const {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object()
        .integer("applied", count_of("applied"))
        .integer("unchanged", count_of("noop"))
        .integer("merged", count_of("merged"))
        .integer("older", count_of("stale"))
        .integer("rejected", count_of("refused"))
        .integer("unreadable", left_out_);
    if (form_ == OutputForm::json) writer.raw("lines", '[' + complaints_ + ']').boolean("complete", !is_unfinished());
    writer.end_object();
    return out;
  }

 private:
  [[nodiscard]] std::int64_t count_of(const std::string& status) const {
    const auto found = counts_.find(status);
    return found == counts_.end() ? 0 : found->second;
  }

  /// A line that is no record: it is named, and stops no other.
  void leave_out(const Error& error) {
    if (++left_out_ <= kLinesShown) complain(line_, "not imported", error.text);
  }

  /// To people at once, to programs with the summary.
  void complain(std::int64_t line, const char* what, const std::string& why) {
    if (form_ == OutputForm::text) {
      std::fprintf(stderr, "line %lld %s: %s\n", static_cast<long long>(line), what, to_terminal_line(why).c_str());
      return;
    }
    if (!complaints_.empty()) complaints_ += ',';
    JsonWriter(complaints_).begin_object().integer("line", line).string("error", why).end_object();
  }

  std::unexpected<Error> interrupted() {
    is_interrupted_ = true;
    return failed({ErrorCode::unavailable, "interrupted"});
  }

  std::unexpected<Error> failed(Error error) const {
    if (done_through_ > 0) {
      error.text += "; lines 1 to " + std::to_string(done_through_) + " are imported; resume with --from-line " +
                    std::to_string(done_through_ + 1);
    }
    return std::unexpected(std::move(error));
  }

  Result<> push(std::int64_t through) {
    const auto answer =
        server_.ask(http::Method::post, "/v1/spaces/" + percent_encode(space_) + "/push", "{\"ops\":[" + ops_ + "]}");
    if (!answer) return failed(answer.error());
    const auto object = http::parse_object(*answer);
    if (!object) return failed(object.error());
    std::size_t at = 0;
    if (const auto results = object->find("results")) {
      results->for_each_element([&](JsonView result) { take(result, lines_.at(at++)); });
    }
    done_through_ = through;
    ops_.clear();
    lines_.clear();
    count_ = 0;
    return {};
  }

  void take(JsonView result, std::int64_t line) {
    const std::string status = result.text_of("status");
    if (++counts_[status] > kLinesShown || status != "refused") return;
    const auto error = result.find("error");
    complain(line, "rejected", error ? error->text_of("detail") : "");
  }

  NodeClient& server_;
  const ImportOptions& options_;
  const OutputForm form_;
  std::string complaints_;  // as JSON, for the summary
  std::string space_;
  std::string ops_;
  std::vector<std::int64_t> lines_;  // of the ops
  std::size_t count_ = 0;
  std::int64_t line_ = 0;
  std::int64_t done_through_ = 0;
  std::int64_t left_out_ = 0;
  bool is_export_ = false;
  bool has_end_ = false;
  bool is_interrupted_ = false;
  std::atomic<std::int64_t> bytes_ = 0;
  std::map<std::string, std::int64_t> counts_;
};

Result<> run_import(const ImportOptions& options, Invocation& invocation) {
  std::ifstream file;
  std::int64_t size = 0;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary | std::ios::ate);
    if (!file) return fail(ErrorCode::not_found, "cannot read " + options.file);
    size = static_cast<std::int64_t>(file.tellg());
    file.seekg(0);
  }
  TRY(const auto server, open_server(options.server, invocation.form()));
  Import import(*server, options, invocation.form());
  {
    const Progress progress("importing", invocation.form(),
                            [&] { return size > 0 ? bar_text(import.bytes(), size) : ""; });
    const auto done = import.run(options.file == "-" ? std::cin : file);
    if (import.is_interrupted()) invocation.exit_code = kExitInterrupted;
    if (!done) return done;
  }
  print_result(import.summary(), invocation.form());
  if (import.is_unfinished()) {
    print_note("the file is an interrupted export and lacks records; run the export again to complete it",
               invocation.form());
  }
  if (import.missing() > 0 || import.is_unfinished()) invocation.exit_code = kExitPartial;
  return {};
}

}  // namespace

void define_import(Command root, Invocation& invocation) {
  const auto options = std::make_shared<ImportOptions>();
  const Command importing = root.add("import", "Import a file into spaces, and keep newer versions there");
  add_feed_server_options(importing, options->server, invocation);
  importing
      .option("FILE", options->file, "file that export wrote, or lines of {collection, id, doc}; - for standard input")
      .required();
  importing.option("--space SPACE", options->spaces, "import all lines into this space").one_at_a_time();
  importing.option("--from-line N", options->from_line, "number of the first line to import")
      .positive()
      .shows_default();
  importing.note("You can safely import the same file again.");
  importing.example("syncline import memory.ndjson");
  importing.exits(kExitPartial, "some lines could not be imported; standard error names them");
  importing.on_run([&invocation, options] { return run_import(*options, invocation); });
}

}  // namespace syncline::app
