#include "tests/links/samples.hpp"

#include "schemas/batch_codec.hpp"

#include <cstring>
#include <string>
#include <string_view>

namespace ebb::links_test {

namespace {

using namespace std::string_literals;

constexpr auto most = UINT64_MAX;

const std::string odd = "a\0b\"\\\n\xff\xfe \xc3\xa9 \xf0\x9f\x90\x8b"s;

error sample_error() {
  error x = make_error(ec::evaluation, odd, "do something else");
  x.place = {"dir/file.yaml", UINT32_MAX, 1, "spec.sources[0].file"};
  x.excerpt = "line\n  ^";
  x.row = 0;
  return x;
}

bool same_rows(const batch_ptr& a, const batch_ptr& b) {
  const auto x = encode_batch(*a);
  const auto y = encode_batch(*b);
  return x.size() == y.size() && std::memcmp(x.as<char>(), y.as<char>(), x.size()) == 0;
}

bool is_same(const topic_append_call& a, const topic_append_call& b) {
  if (a.topic != b.topic || a.producer != b.producer || a.idempotency_key != b.idempotency_key
      || a.mark != b.mark || a.parts.size() != b.parts.size())
    return false;
  for (std::size_t i = 0; i < a.parts.size(); ++i)
    if (a.parts[i].partitions != b.parts[i].partitions
        || !same_rows(a.parts[i].rows, b.parts[i].rows))
      return false;
  return true;
}

bool is_same(const link_call& a, const link_call& b) {
  if (a.id != b.id || a.settled != b.settled || a.uid != b.uid || a.placement != b.placement
      || a.operation.index() != b.operation.index())
    return false;
  return std::visit(
      [&](const auto& x) {
        using type = std::decay_t<decltype(x)>;
        const auto& y = std::get<type>(b.operation);
        if constexpr (std::is_same_v<type, topic_append_call>)
          return is_same(x, y);
        else
          return x == y;
      },
      a.operation);
}

bool is_same(const peer_items& a, const peer_items& b) {
  return a.subtask == b.subtask && a.input == b.input && a.channel == b.channel
         && std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                       [](const peer_item& x, const peer_item& y) {
                         return x.what == y.what && x.time == y.time && x.bytes == y.bytes
                                && x.epoch == y.epoch && !x.rows == !y.rows
                                && (!x.rows || same_rows(x.rows, y.rows));
                       });
}

bool is_same(const peer_message& a, const peer_message& b) {
  if (a.index() != b.index())
    return false;
  return std::visit(
      [&](const auto& x) {
        using type = std::decay_t<decltype(x)>;
        const auto& y = std::get<type>(b);
        if constexpr (std::is_same_v<type, peer_items>)
          return is_same(x, y);
        else
          return x == y;
      },
      a);
}

bool is_same(const link_slice& a, const link_slice& b) {
  return a.next == b.next && a.end == b.end
         && std::equal(a.batches.begin(), a.batches.end(), b.batches.begin(), b.batches.end(),
                       [](const auto& x, const auto& y) {
                         return x.first == y.first && x.time == y.time
                                && same_rows(x.batch, y.batch);
                       });
}

bool is_same(const call_answer& a, const call_answer& b) {
  return a.id == b.id && links_test::is_same(a.outcome, b.outcome);
}

} // namespace

bool is_same(const call_outcome& a, const call_outcome& b) {
  if (static_cast<bool>(a) != static_cast<bool>(b))
    return false;
  if (!a)
    return a.error() == b.error();
  if (a->index() != b->index())
    return false;
  return std::visit(
      [&](const auto& x) {
        using type = std::decay_t<decltype(x)>;
        const auto& y = std::get<type>(*b);
        if constexpr (std::is_same_v<type, link_slice>)
          return is_same(x, y);
        else
          return x == y;
      },
      *a);
}

bool is_same(const link_message& a, const link_message& b) {
  if (a.index() != b.index())
    return false;
  return std::visit(
      [&](const auto& x) {
        using type = std::decay_t<decltype(x)>;
        const auto& y = std::get<type>(b);
        if constexpr (
            std::is_same_v<
                type,
                link_call> || std::is_same_v<type, call_answer> || std::is_same_v<type, peer_message>)
          return is_same(x, y);
        else
          return x == y;
      },
      a);
}

batch_ptr sample_rows(std::uint32_t rows) {
  batch x;
  x.rows = rows;
  text_builder names{sql_type{type_kind::text}, rows};
  auto numbers = make_column(sql_type{type_kind::bigint}, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (i % 3 == 1)
      names.append_null();
    else
      names.append("name " + std::to_string(i));
    numbers.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(i) * -1'000'000'007;
  }
  x.columns.push_back(names.take());
  x.columns.push_back(std::move(numbers));
  return std::make_shared<const batch>(std::move(x));
}

stream_entry sample_stream() {
  stream_entry x;
  x.uid = "uid-1";
  x.name = "space.name";
  x.manifest = "kind: Stream\n" + std::string(10'000, 'x');
  x.plan = odd;
  x.plan_fingerprint = "fingerprint";
  x.operators = {"one", "", odd};
  x.key_groups = UINT16_MAX;
  x.parallelism = UINT32_MAX;
  x.generation = most;
  x.next_epoch = most - 1;
  x.life = stream_life::deleted;
  return x;
}

checkpoint_record sample_record() {
  checkpoint_record x;
  x.uid = "uid-1";
  x.epoch = 7;
  x.generation = most;
  x.when = INT64_MIN;
  x.phases = {1, -2, INT64_MAX, 0};
  x.reason = record_reason::final;
  x.finished = true;
  x.segments = {{"a.seg", segment_kind::base, 3, most, {most, 1}, 5, 0, UINT16_MAX}, {}};
  x.positions = {{"source", UINT32_MAX, true, odd}, {}};
  x.watermarks = {{"source", min_time}};
  x.outputs = {{"sink", 3, 7, "file", 9, {1, 2}, odd, most, 4}};
  x.bytes = 11;
  return x;
}

std::vector<call_operation> sample_operations() {
  const auto record = sample_record();
  const std::vector<sink_token> tokens{{"sink", UINT32_MAX, most, 0}, {}};
  topic_append_call append;
  append.topic = "topic-1";
  append.parts = {{sample_rows(1000), {0, UINT32_MAX, 2}}, {sample_rows(0), {}}};
  append.producer = link_producer{"p", most, 0};
  auto keyed = append;
  keyed.producer.reset();
  keyed.parts.pop_back();
  keyed.idempotency_key = odd;
  topic_append_call marked;
  marked.mark = link_mark{"uid/sink/0", most, 1};
  return {
      ledger_open_or_create{sample_stream()},
      ledger_open_or_create{},
      ledger_find_stream{odd},
      ledger_update_stream{sample_stream(), most},
      ledger_delete_stream{"name"},
      ledger_forget_stream{"uid"},
      ledger_begin_generation{"uid"},
      ledger_reserve_epochs{"uid", most, most - 1},
      ledger_commit{record, most, {"first", odd}, most},
      ledger_commit{},
      ledger_records{"uid"},
      ledger_newest_record{""},
      ledger_rewind{record, 2, tokens},
      ledger_rewind{},
      ledger_savepoints{"uid"},
      ledger_savepoint{"uid", "name"},
      ledger_set_tokens{"uid", most, tokens},
      ledger_tokens{"uid"},
      ledger_garbage{"uid", std::vector<std::string>(5000, "delta-1-1-1.seg")},
      ledger_garbage{},
      topic_find_call{odd},
      topic_append_file_call{"topic", "/folder/file", {"uid/sink/0", most, 3}},
      append,
      keyed,
      marked,
      topic_append_call{},
      topic_bounds_call{"topic"},
      topic_read_call{"topic", UINT32_MAX, most, 5, 6},
      topic_read_call{},
      store_put_call{stored_area::output, odd, {most, 100'000, 3, std::string(90'000, 'x'), {}}},
      store_put_call{stored_area::segments, "base-1-1-1.seg", {1, 4, 0, odd, digest128{most, 2}}},
      store_put_call{},
      store_read_call{stored_area::output, "a", most, 7},
      store_list_call{stored_area::output},
      store_list_call{},
      store_remove_call{stored_area::output, {"a", odd}, most},
      store_remove_call{}};
}

std::vector<call_outcome> sample_outcomes() {
  const auto value = [](auto x) { return call_outcome{call_value{std::move(x)}}; };
  const savepoint_entry savepoint{"before", INT64_MAX, sample_record()};
  const link_topic topic{"uid",
                         "space.topic",
                         "/data/topics/uid",
                         UINT32_MAX,
                         {{"a", {type_kind::numeric, type_kind::unknown, 38, -5, 0}, true},
                          {odd, {type_kind::array, type_kind::text, 0, 0, INT32_MAX}, false}},
                         "a"};
  const link_append_answer appended{5, {{1, 2, most}, {}}, min_time, 0, sample_error()};
  return {
      value(std::monostate{}),
      value(std::uint64_t{0}),
      value(most),
      value(sample_stream()),
      value(std::optional<stream_entry>{}),
      value(std::optional{sample_stream()}),
      value(std::vector<checkpoint_record>{}),
      value(std::vector{sample_record(), checkpoint_record{}}),
      value(std::optional<checkpoint_record>{}),
      value(std::optional{checkpoint_record{}}),
      value(std::vector<savepoint_entry>{savepoint, {}}),
      value(std::optional<savepoint_entry>{}),
      value(std::optional{savepoint}),
      value(std::vector<sink_token>{{"sink", 1, 2, 3}, {}}),
      value(std::vector<std::string>{}),
      value(std::vector<std::string>{"", odd}),
      value(topic),
      value(link_topic{}),
      value(appended),
      value(link_append_answer{}),
      value(link_bounds{{{0, most}, {3, 3}}}),
      value(link_bounds{}),
      value(link_slice{{{7, min_time, sample_rows(1000)}, {1007, 5, sample_rows(3)}}, 1010, most}),
      value(link_slice{}),
      value(link_bytes{std::string(300'000, 'y')}),
      value(link_bytes{}),
      sample_error(),
      error{}};
}

std::vector<peer_message> sample_peer_messages() {
  using order = peer_order::kind;
  using report = peer_report::kind;
  return {
      peer_hello{"uid", most, UINT32_MAX, 1},
      peer_begin{},
      peer_begin{sample_record(), {"one", odd}, "/output", "/segments", 64, most},
      peer_ready{},
      peer_go{},
      peer_items{},
      peer_items{1,
                 2,
                 UINT32_MAX,
                 {{0, 0, sample_rows(1000), 12'345, 0},
                  {1, max_time, nullptr, 0, 0},
                  {0, 0, sample_rows(0), 1, 0},
                  {3, min_time, nullptr, 0, most}}},
      peer_credit{1, 2, 3, most},
      peer_order{order::interrupt, 1, 0, 0, false},
      peer_order{order::checkpoint, UINT32_MAX, most, 1, true},
      peer_order{order::conclude, 2, 0, 0, false},
      peer_order{order::abandon, 3, 0, 0, false},
      peer_report{report::drained, 1, 0, std::nullopt},
      peer_report{report::failed, 2, 0, sample_error()},
      peer_report{report::unwritten, 0, most, sample_error()},
      peer_written{},
      peer_written{sample_record(), {{"source", true, 2}, {odd, false, 0}}, min_time, 5, max_time},
      peer_stats{1, min_time, max_time, {0, most, 3}},
  };
}

std::vector<link_message> sample_messages() {
  std::vector<link_message> all{
      heartbeat{0},
      heartbeat{most},
      worker_hello{},
      worker_hello{"1.2.3", INT64_MIN, "worker-1", most, {{"uid", 1, most}, {}}, "10.0.0.1:1", 77},
      stream_started{"uid", most, 3, {"note", "", odd}},
      stream_status{},
      stream_status{"uid",
                    1,
                    true,
                    most,
                    min_time,
                    max_time,
                    most,
                    {{"source", 1, 2, most}, {}},
                    {{"operator", 1, 2, 3, most}},
                    {{"sink", most, 0}},
                    {{"source", UINT32_MAX, most}},
                    {1, 2, 3, -4, "the checkpoint takes long"},
                    most,
                    -1,
                    1,
                    2,
                    max_time,
                    "partition 3 of source clicks"},
      stream_ended{},
      stream_ended{"uid", 1, true, false, sample_error(), 5, {{"source", 0, 1}}},
      stream_ended{"uid", 1, false, true, error{}, min_time, {}},
      log_line{"", log_level::debug, 0, "", {}},
      log_line{"uid", log_level::error, INT64_MAX, odd, {{"key", odd}, {"", ""}}},
      topic_watch{"uid", false},
      topic_watch{"", true},
      savepoint_made{most, 0, std::nullopt},
      savepoint_made{1, most, sample_error()},
      control_welcome{},
      control_welcome{most, {{"uid", 1}}, {{"uid", most, odd}, {}}},
      start_stream{},
      start_stream{"uid",
                   most,
                   "name",
                   "space",
                   "/folder",
                   "/data",
                   std::string(100'000, 'm'),
                   UINT32_MAX,
                   "before",
                   link_past_output::keep,
                   1,
                   {"a", "b"},
                   "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      stop_stream{"uid", 1, true},
      savepoint_stream{most, "uid", 1, "name"},
      topic_moved{"uid"},
      topic_moved{},
      worker_shutdown{},
      worker_identity{"authority", "certificate", "key"},
      worker_identity{}};
  for (auto& x : sample_peer_messages())
    all.emplace_back(std::move(x));
  std::uint64_t id = 0;
  for (auto& x : sample_operations())
    all.emplace_back(link_call{++id, id / 2, "uid", most, std::move(x)});
  for (auto& x : sample_outcomes())
    all.emplace_back(call_answer{++id, std::move(x)});
  return all;
}

} // namespace ebb::links_test
