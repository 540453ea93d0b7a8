// syncline tail, export and import: the feed of spaces, of this device or of a hub.
#include <cstdio>
#include <iostream>

#include "app/feed_file.hpp"
#include "app/hub_access.hpp"
#include "app/interrupt.hpp"
#include "app/node_access.hpp"
#include "app/progress.hpp"
#include "base/back_off.hpp"
#include "base/json_object.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::app {
namespace {

constexpr std::int64_t kPageRecords = 1000;
constexpr std::size_t kBatchOps = 500;
constexpr std::size_t kBatchBytes = 4UL << 20U;
/// The server says something on a quiet stream each 20 s.
constexpr std::int64_t kSilenceMs = 70'000;
constexpr std::size_t kShownBytes = 160;
constexpr int kRefusedShown = 20;
/// What a node keeps for itself in its spaces.
constexpr std::string_view kOwnCollections = "syncline.";

struct FeedOptions {
  NodeOptions node;
  HubOptions hub;
  std::vector<std::string> spaces;
  std::string file;
  std::string since;
  bool from_start = false;
  std::int64_t count = 0;
  std::int64_t from_line = 1;
};
using Options = std::shared_ptr<FeedOptions>;

Result<std::unique_ptr<NodeClient>> open_server(const FeedOptions& options) {
  return options.hub.url.empty() ? NodeClient::open(options.node) : NodeClient::open_hub(options.hub);
}

struct Space {
  std::string name;
  std::string cursor;    // its end
  std::int64_t seq = 0;  // of that
};

/// Those that are named, or all.
Result<std::vector<Space>> list_spaces(NodeClient& server, const std::vector<std::string>& named) {
  TRY(const std::string answer, server.ask(http::Method::get, "/v1/spaces"));
  TRY(const JsonObject object, http::parse_object(answer));
  std::vector<Space> all;
  if (const auto list = object.find("spaces")) {
    list->for_each_element([&](JsonView space) {
      const std::string cursor = space.text_of("cursor");
      const auto seq = parse_integer(std::string_view(cursor).substr(cursor.rfind('.') + 1));
      all.push_back({space.text_of("name"), cursor, seq.value_or(0)});
    });
  }
  if (named.empty()) return all;
  std::vector<Space> wanted;
  for (const std::string& name : named) {
    const auto found = std::ranges::find(all, name, &Space::name);
    if (found == all.end()) return fail(ErrorCode::not_found, "there is no space '" + name + "'");
    wanted.push_back(*found);
  }
  return wanted;
}

std::string epoch_of(const Space& space) { return space.cursor.substr(0, space.cursor.find('.')); }

struct Page {
  std::string body;
  std::string cursor;
  bool more = false;

  void for_each_change(const std::function<void(JsonView)>& visit) const {
    const auto changes = JsonView(body).find("changes");
    if (!changes) return;
    changes->for_each_element([&](JsonView change) {
      if (!change.text_of("collection").starts_with(kOwnCollections)) visit(change);
    });
  }
};

Result<Page> read_page(NodeClient& server, const std::string& space, const std::string& since) {
  Page page;
  TRY(page.body, server.ask(http::Method::get, "/v1/spaces/" + percent_encode(space) + "/changes?since=" + since +
                                                   "&limit=" + std::to_string(kPageRecords)));
  const auto checked = http::parse_object(page.body);
  if (!checked) return std::unexpected(checked.error());
  page.cursor = checked->text_of("cursor");
  const auto more = checked->find("more");
  page.more = more && more->as_boolean().value_or(false);
  return page;
}

// tail

void print_change(std::string_view space, JsonView change, OutputForm form) {
  if (form == OutputForm::json) {
    std::string line;
    append_record_line(line, space, change);
    std::puts(line.c_str());
    return;
  }
  const auto doc = change.find("doc");
  const auto deleted = change.find("deleted");
  const bool is_deleted = deleted && deleted->as_boolean().value_or(false);
  const std::string what = is_deleted ? "deleted"
                           : doc      ? to_terminal_text(cut_utf8(doc->raw(), kShownBytes))
                                      : std::string();
  std::printf("%s  %s  %s/%s  %s\n", change.text_of("updated_at").c_str(), to_terminal_text(std::string(space)).c_str(),
              to_terminal_text(change.text_of("collection")).c_str(), to_terminal_text(change.text_of("id")).c_str(),
              what.c_str());
}

class Tail {
 public:
  Tail(NodeClient& server, std::vector<Space> spaces, const FeedOptions& options, OutputForm form)
      : server_(server), spaces_(std::move(spaces)), count_max_(options.count), form_(form) {}

  /// Until interrupted, or as many changes have come as were asked for.
  Result<> run() {
    const std::stop_callback on_interrupt(watch_.token(), [this] { done_.request_stop(); });
    BackOff back_off;
    while (!done_.stop_requested()) {
      bool has_come = false;
      stream_ = std::stop_source();
      const std::stop_callback on_done(done_.get_token(), [this] { stream_.request_stop(); });
      if (const auto done = catch_up_all(); !done && done.error().advice != Advice::retry_later) return done;
      http::EventStreamReader reader([&](const std::string& event, const std::string& data) { take(event, data); });
      const auto answer = server_.stream(
          target(), kSilenceMs,
          [&](std::string_view bytes) {
            has_come = true;
            reader.add(bytes);
          },
          stream_.get_token());
      if (fault_) return std::unexpected(*fault_);
      const bool is_final = answer && answer->status != 200 && error_of(*answer).advice != Advice::retry_later;
      if (is_final) return std::unexpected(error_of(*answer));
      if (has_come) back_off.reset();
      if (!done_.stop_requested()) {
        wait_unless_stopped(done_.get_token(), std::chrono::milliseconds(back_off.next_ms()));
      }
    }
    return {};
  }

 private:
  /// The stream begins behind what has been printed.
  [[nodiscard]] std::string target() const {
    std::string names;
    std::string position;
    for (const Space& space : spaces_) {
      if (!names.empty()) names += ',';
      names += percent_encode(space.name);
      if (space.cursor == "0") continue;
      if (!position.empty()) position += ',';
      position += percent_encode(space.name) + '=' + space.cursor;
    }
    return "/v1/events?spaces=" + names + "&last_event_id=" + percent_encode(position);
  }

  void take(const std::string& event, const std::string& data) {
    const auto notice = http::parse_object(data);
    if (!notice || fault_) return;
    const auto space = std::ranges::find(spaces_, notice->text_of("space"), &Space::name);
    if (space == spaces_.end()) return;
    Result<> done;
    if (event == "change") done = catch_up(*space);
    if (event == "reset") {
      done = fail(ErrorCode::conflict, "the history of " + space->name +
                                           " is another one now: " + notice->text_of("code") + "; begin again");
    }
    // What can be tried again is when the stream begins anew, behind what was printed.
    if (!done && done.error().advice != Advice::retry_later) fault_ = done.error();
    if (!done) stream_.request_stop();
  }

  Result<> catch_up_all() {
    for (Space& space : spaces_) CHECK_OK(catch_up(space));
    return {};
  }

  Result<> catch_up(Space& space) {
    for (bool more = true; more && !done_.stop_requested();) {
      TRY(const Page page, read_page(server_, space.name, space.cursor));
      page.for_each_change([&](JsonView change) {
        if (done_.stop_requested()) return;
        print_change(space.name, change, form_);
        if (++count_ == count_max_) done_.request_stop();
      });
      std::fflush(stdout);
      space.cursor = page.cursor;
      more = page.more;
    }
    return {};
  }

  NodeClient& server_;
  std::vector<Space> spaces_;
  const std::int64_t count_max_;  // 0: no end
  const OutputForm form_;
  std::int64_t count_ = 0;
  std::optional<Error> fault_;
  std::stop_source done_;
  std::stop_source stream_;  // the one that is open
  InterruptWatch watch_;
};

Result<> tail(const FeedOptions& options, OutputForm form) {
  if (!options.since.empty() && options.spaces.size() != 1) {
    return fail(ErrorCode::invalid_argument, "--since is a place in one space: name that space, and no other");
  }
  TRY(const auto server, open_server(options));
  TRY(std::vector<Space> spaces, list_spaces(*server, options.spaces));
  if (spaces.empty()) return fail(ErrorCode::not_found, "there is no space yet");
  for (Space& space : spaces) {
    if (options.from_start) space.cursor = "0";
    if (!options.since.empty()) space.cursor = options.since;
  }
  return Tail(*server, std::move(spaces), options, form).run();
}

// export

struct Exported {
  std::int64_t records = 0;
  bool went_on = false;
};

Result<Exported> write_export(const FeedOptions& options, OutputForm form) {
  TRY(const auto server, open_server(options));
  Exported exported;
  ExportState state;
  auto begun = options.file.empty() ? fail(ErrorCode::not_found, "") : read_export(options.file);
  if (!begun && begun.error().code != ErrorCode::not_found) return std::unexpected(begun.error());
  exported.went_on = begun.has_value();
  if (begun) {
    state = *std::move(begun);
    if (!options.spaces.empty() && options.spaces != state.spaces) {
      return fail(ErrorCode::conflict, options.file + " is an unfinished export of other spaces: choose another file");
    }
  }
  TRY(const std::vector<Space> spaces, list_spaces(*server, exported.went_on ? state.spaces : options.spaces));
  if (!exported.went_on) {
    for (const Space& space : spaces) state.spaces.push_back(space.name);
  }
  const std::string epoch = spaces.empty() ? "" : epoch_of(spaces.front());
  if (exported.went_on && state.epoch != epoch) {
    return fail(ErrorCode::conflict, options.file + " is an unfinished export of another store: choose another file");
  }
  state.epoch = epoch;
  TRY(FeedWriter writer,
      exported.went_on ? FeedWriter::append(options.file, state) : FeedWriter::create(options.file, state));
  std::int64_t total = 0;
  for (const Space& space : spaces) total += space.seq;
  std::atomic<std::int64_t> passed = 0;
  std::int64_t passed_spaces = 0;
  for (std::size_t i = 0; i < state.at && i < spaces.size(); ++i) passed_spaces += spaces[i].seq;
  const Progress progress("exporting", form, [&] { return bar_text(passed, total); });
  const InterruptWatch watch;
  for (; state.at < spaces.size(); ++state.at, state.cursor = "0") {
    const Space& space = spaces[state.at];
    for (bool more = true; more;) {
      if (watch.interrupted()) {
        return fail(ErrorCode::unavailable,
                    options.file.empty() ? "interrupted" : "interrupted; the same command goes on with it");
      }
      auto page = read_page(*server, space.name, state.cursor);
      if (!page && page.error().advice == Advice::resync) {
        return fail(ErrorCode::conflict,
                    "the export cannot go on, for the history of " + space.name + " has changed: choose another file");
      }
      if (!page) return std::unexpected(page.error());
      page->for_each_change([&](JsonView change) {
        writer.add_record(space.name, change);
        ++state.records;
        const auto seq = change.find("seq");
        passed = passed_spaces + (seq ? seq->as_integer().value_or(0) : 0);
      });
      state.cursor = page->cursor;
      more = page->more;
      CHECK_OK(writer.add_cursor(space.name, state.cursor, more));
    }
    passed_spaces += space.seq;
  }
  CHECK_OK(writer.add_end(state.records));
  exported.records = state.records;
  return exported;
}

Result<> run_export(const FeedOptions& options, OutputForm form) {
  TRY(const Exported exported, write_export(options, form));
  if (options.file.empty()) return {};  // standard output has the records
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("file", options.file)
      .integer("records", exported.records)
      .boolean("went_on", exported.went_on)
      .end_object();
  print_result(out, form);
  return {};
}

// import

class Import {
 public:
  Import(NodeClient& server, const FeedOptions& options) : server_(server), options_(options) {}

  Result<> run(std::istream& in) {
    std::string line;
    const InterruptWatch watch;
    while (std::getline(in, line)) {
      ++line_;
      bytes_ += static_cast<std::int64_t>(line.size()) + 1;
      // The first line says whether it is an export, also if its records are in already.
      const bool is_wanted = line_ >= options_.from_line || line_ == 1;
      if (!is_wanted || trim(line).empty()) continue;
      const bool is_cut = in.eof();
      auto read = read_feed_line(line);
      if (!read && is_cut && is_export_) break;
      if (!read) return failed({read.error().code, "line " + std::to_string(line_) + ": " + read.error().text});
      is_export_ = is_export_ || read->kind == FeedLine::Kind::head;
      has_end_ = has_end_ || read->kind == FeedLine::Kind::end;
      if (read->kind != FeedLine::Kind::record || line_ < options_.from_line) continue;
      const std::string space = options_.spaces.empty() ? read->space : options_.spaces.front();
      if (space.empty()) {
        return failed(
            {ErrorCode::invalid_argument, "line " + std::to_string(line_) + " names no space: say which with --space"});
      }
      const bool is_full = count_ == kBatchOps || ops_.size() + read->op.size() > kBatchBytes;
      if (count_ > 0 && (space != space_ || is_full)) CHECK_OK(push(line_ - 1));
      if (watch.interrupted()) return failed({ErrorCode::unavailable, "interrupted"});
      space_ = space;
      if (count_++ > 0) ops_ += ',';
      ops_ += read->op;
      lines_.push_back(line_);
    }
    return count_ > 0 ? push(line_) : Result<>{};
  }

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t refused() const { return count_of("refused"); }
  /// It is an export that was interrupted.
  [[nodiscard]] bool is_unfinished() const { return is_export_ && !has_end_; }

  [[nodiscard]] std::string summary() const {
    std::string out;
    JsonWriter(out)
        .begin_object()
        .integer("applied", count_of("applied"))
        .integer("unchanged", count_of("noop"))
        .integer("merged", count_of("merged"))
        .integer("older", count_of("stale"))
        .integer("refused", count_of("refused"))
        .end_object();
    return out;
  }

 private:
  [[nodiscard]] std::int64_t count_of(const std::string& status) const {
    const auto found = counts_.find(status);
    return found == counts_.end() ? 0 : found->second;
  }

  std::unexpected<Error> failed(Error error) const {
    if (done_through_ > 0) {
      error.text += "; lines 1 to " + std::to_string(done_through_) + " are in: go on with --from-line " +
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
    if (++counts_[status] > kRefusedShown || status != "refused") return;
    const auto error = result.find("error");
    std::fprintf(stderr, "line %lld is refused: %s\n", static_cast<long long>(line),
                 to_terminal_text(error ? error->text_of("detail") : "").c_str());
  }

  NodeClient& server_;
  const FeedOptions& options_;
  std::string space_;
  std::string ops_;
  std::vector<std::int64_t> lines_;  // of the ops
  std::size_t count_ = 0;
  std::int64_t line_ = 0;
  std::int64_t done_through_ = 0;
  bool is_export_ = false;
  bool has_end_ = false;
  std::atomic<std::int64_t> bytes_ = 0;
  std::map<std::string, std::int64_t> counts_;
};

Result<> run_import(const FeedOptions& options, Invocation& invocation) {
  std::ifstream file;
  std::int64_t size = 0;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary | std::ios::ate);
    if (!file) return fail(ErrorCode::not_found, "cannot read " + options.file);
    size = static_cast<std::int64_t>(file.tellg());
    file.seekg(0);
  }
  TRY(const auto server, open_server(options));
  Import import(*server, options);
  {
    const Progress progress("importing", invocation.form(),
                            [&] { return size > 0 ? bar_text(import.bytes(), size) : ""; });
    CHECK_OK(import.run(options.file == "-" ? std::cin : file));
  }
  print_result(import.summary(), invocation.form());
  if (import.is_unfinished()) std::fputs("the file is an export that was interrupted: not all is in it\n", stderr);
  if (import.refused() > 0 || import.is_unfinished()) invocation.exit_code = kExitFailure;
  return {};
}

CLI::App& add_command(CLI::App& app, Invocation& invocation, const Options& options, const std::string& name,
                      const std::string& help) {
  CLI::App& command = *app.add_subcommand(name, help);
  add_node_options(command, options->node, invocation);
  add_hub_options(command, options->hub);
  command.get_option("--hub")->description("URL of a hub, to ask that instead of this device's node");
  return command;
}

}  // namespace

void define_feed(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<FeedOptions>();
  CLI::App& tailing = add_command(app, invocation, options, "tail", "Changes as they happen, of this device or a hub");
  tailing.add_option("SPACE", options->spaces, "only these spaces; all there are if none is named");
  tailing.add_option("--since", options->since, "begin behind that cursor, in one space");
  tailing.add_flag("--from-start", options->from_start, "begin with all there is");
  tailing.add_option("-n,--count", options->count, "end after so many changes")->check(CLI::PositiveNumber);
  tailing.footer("With --json a line is one JSON object.\nExample:\n  syncline tail kaisho --json");
  tailing.callback([&invocation, options] {
    invocation.run = [&invocation, options] { return tail(*options, invocation.form()); };
  });

  CLI::App& exporting = add_command(app, invocation, options, "export",
                                    "Write spaces of this device or a hub to a file of lines (NDJSON)");
  exporting.add_option("SPACE", options->spaces, "only these spaces; all there are if none is named");
  exporting.add_option("-o,--out", options->file,
                       "the file; standard output if absent. An unfinished one is gone on with");
  exporting.footer("Example:\n  syncline export -o memory.ndjson kernle/claire");
  exporting.callback([&invocation, options] {
    invocation.run = [&invocation, options] { return run_export(*options, invocation.form()); };
  });

  CLI::App& importing = add_command(app, invocation, options, "import",
                                    "Put the lines of a file into spaces: what is there and newer stays");
  importing
      .add_option("FILE", options->file, "a file that export wrote, or lines {collection, id, doc}; -: standard input")
      ->required();
  importing.add_option("--space", options->spaces, "put all lines into this space")->expected(1);
  importing.add_option("--from-line", options->from_line, "begin with that line")->check(CLI::PositiveNumber);
  importing.footer("A second import of the same file changes nothing.\nExample:\n  syncline import memory.ndjson");
  importing.callback(
      [&invocation, options] { invocation.run = [&invocation, options] { return run_import(*options, invocation); }; });
}

}  // namespace syncline::app
