// Documents of kind Topic.

#include "actors/plan/manifest_parts.hpp"

namespace ebb::manifest {

namespace {

constexpr std::uint64_t partitions_max = 1024; ///< as a topic's log can have
constexpr std::uint64_t retained_min = std::uint64_t{1} << 20;

result<void> read_retention(const reader& in, const located& spec, topic_definition& out) {
  const auto at = reader::field(spec, "retention");
  if (!at)
    return {};
  EBB_TRY(in.keys(at, {"time", "size"}));
  if (const auto x = reader::field(at, "time")) {
    EBB_ASSIGN(out.retention_age, in.duration(x, 1));
  }
  if (const auto x = reader::field(at, "size")) {
    EBB_ASSIGN(out.retention_bytes, in.size(x));
    if (out.retention_bytes < retained_min)
      return in.fail(x, "a topic keeps at least 1Mi", "write size: 1Gi");
  }
  return {};
}

} // namespace

result<topic_definition> read_topic(const reader& in, const located& document) {
  topic_definition out;
  out.place = in.place(document);
  EBB_ASSIGN(auto named, read_metadata(in, document));
  out.name = std::move(named.name);
  out.name_space = std::move(named.name_space);
  EBB_ASSIGN(const auto spec, in.required(document, "spec", "spec with a schema"));
  EBB_TRY(in.keys(spec, {"schema", "partitions", "key", "retention", "format"}));
  EBB_ASSIGN(const auto columns, in.required(spec, "schema", "schema: id BIGINT, name TEXT"));
  EBB_ASSIGN(auto parsed, read_schema(in, columns));
  if (!parsed.primary_key.empty())
    return in.fail(columns, "a topic has no PRIMARY KEY",
                   "leave it out here; a source that reads the topic can promise one",
                   ec::unsupported);
  out.columns = std::move(parsed.columns);
  if (const auto x = reader::field(spec, "partitions")) {
    EBB_ASSIGN(const auto count, in.integer(x, 1, partitions_max));
    out.partitions = static_cast<std::uint32_t>(count);
  }
  if (const auto x = reader::field(spec, "key")) {
    EBB_ASSIGN(const auto name, in.text(x, "the name of a column"));
    const auto* found = find_column(out.columns, name);
    if (found == nullptr)
      return in.fail(x, "the schema has no column " + name, nearest_column(out.columns, name));
    out.key = found->name;
  }
  EBB_TRY(read_retention(in, spec, out));
  if (const auto x = reader::field(spec, "format")) {
    EBB_ASSIGN(const auto which, in.word(x, {"json", "debezium"}));
    if (which != 0)
      return in.fail(x, "format debezium is not available in this version", "use json",
                     ec::unsupported);
  }
  return out;
}

} // namespace ebb::manifest
