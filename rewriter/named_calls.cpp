#include <algorithm>
#include <initializer_list>
#include <set>

#include "rewriter/planning.h"
#include "values/ascii.h"

/// Built-in functions whose argument names something that is not on every shard: a relation, a sequence, a
/// server's process.
namespace anabranch::rewriter {
namespace {

/// 'schema."Name"' as a server splits it; empty parts where it is no name.
std::vector<std::string> split_name(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      parts.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += quoted ? std::string(1, c) : std::string(1, values::lower_case(c));
    }
  }
  return parts;
}

const tree::Expr& without_casts(const tree::Expr& expr) {
  const tree::Expr* inner = &expr;
  while (const auto* cast = inner->as<tree::TypeCast>()) inner = cast->arg.get();
  return *inner;
}

/// What a text like 'public.users', cast to regclass or not, names.
NamedTable find_in_text(Planning& planning, const tree::Expr& expr) {
  const auto* literal = without_casts(expr).as<tree::Literal>();
  if (literal == nullptr || literal->kind() != tree::Literal::Kind::string) return {};
  const std::vector<std::string> parts = split_name(literal->value(planning.pins));
  if (parts.size() > 2) return {};
  return find_named(planning, parts.size() > 1 ? parts.front() : "", parts.back());
}

/// Each call of one of these functions, with its name and first argument.
template <class Visit>
void each_call(const Planning& planning, std::initializer_list<std::string_view> names, const Visit& visit) {
  const auto look = [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    if (call != nullptr && !call->args.empty() && std::ranges::find(names, call->name.back()) != names.end()) {
      visit(call->name.back(), *call->args.front());
    }
    return true;
  };
  for (const auto& block : planning.query.blocks) {
    each_expression(*block, [&](const tree::Expr& expr) { tree::walk(expr, look); });
  }
}

/// Whose the sequences are that a statement names.
struct Sequences {
  std::set<std::uint32_t> elsewhere;  ///< shards, but the default one, with tables that own some
  bool others = false;                ///< the default shard's
  bool computed = false;              ///< named by what is no literal
};

Sequences find_sequences(Planning& planning) {
  Sequences found;
  each_call(planning, {"nextval", "setval", "pg_sequence_last_value"}, [&](const std::string&, const tree::Expr& arg) {
    if (without_casts(arg).as<tree::Literal>() == nullptr) found.computed = true;
    const NamedTable named = find_in_text(planning, arg);
    if (named.table != nullptr && named.table->kind == conf::TableKind::whole &&
        named.table->shard != planning.map().default_shard()) {
      found.elsewhere.insert(named.table->shard);
    } else {
      found.others = true;
    }
  });
  return found;
}

/// Tables that one other shard than the default one has, and with them their sequences.
bool has_tables_elsewhere(const router::ShardMap& map) {
  return std::ranges::any_of(map.tables(), [&](const router::MappedTable& table) {
    return table.kind == conf::TableKind::whole && table.shard != map.default_shard();
  });
}

/// Reads or writes what that shard alone does not have.
bool concerns_other_shards(const Planning& planning, std::uint32_t shard) {
  const bool writes = planning.statement->as<tree::Select>() == nullptr;
  return std::ranges::any_of(planning.query.instances, [&](const auto& instance) {
    if (instance->kind != Instance::Kind::table) return false;
    const router::MappedTable* table = planning.query.mapped(*instance);
    if (table == nullptr || table->kind == conf::TableKind::sharded) return true;
    if (table->kind == conf::TableKind::reference) return writes;
    return table->shard != shard;
  });
}

}  // namespace

void check_sizes(Planning& planning) {
  const auto check = [&](const std::string& name, const tree::Expr& arg) {
    const NamedTable named = find_in_text(planning, arg);
    if (named.table == nullptr || named.table->kind != conf::TableKind::sharded) return;
    refuse_clause(name + "()", "\"" + named.table->name.name + "\" has rows on several shards",
                  "Ask each shard: /* anabranch: shard=NAME */");
  };
  each_call(planning, {"pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size"}, check);
}

void check_backend_calls(const Planning& planning) {
  const bool pooled = planning.request->database == nullptr ||
                      planning.request->database->pool.mode != conf::PoolMode::session;
  if (!pooled) return;
  each_call(planning, {"pg_cancel_backend", "pg_terminate_backend"}, [](const std::string& name, const tree::Expr& arg) {
    const auto* asked = arg.as<tree::FunctionCall>();
    if (asked != nullptr && asked->name.back() == "pg_backend_pid") return;
    refuse_clause(name + "()", "with transaction pooling a connection's number is no client's",
                  "Cancel as your driver does (CancelRequest), or ask the server: /* anabranch: shard=NAME */");
  });
}

std::optional<PlanResult> to_sequences(Planning& planning) {
  if (!has_tables_elsewhere(planning.map())) return std::nullopt;
  const Sequences sequences = find_sequences(planning);
  if (sequences.computed) {
    refuse_statement("a sequence whose name is computed", "Write its name as a literal: each is on one shard.");
  }
  if (sequences.elsewhere.empty()) return std::nullopt;
  const std::uint32_t shard = *sequences.elsewhere.begin();
  const Traits& traits = planning.traits;
  const bool of_session = traits.settings || !traits.session_call.empty() || !traits.session_value.empty();
  if (sequences.elsewhere.size() > 1 || sequences.others || of_session || concerns_other_shards(planning, shard)) {
    refuse_statement("a sequence of shard " + planning.map().shards()[shard].name + " beside what is on other shards",
                     "Ask for its value in a statement of its own.");
  }
  auto plan = relay_to(planning, static_cast<int>(shard), "its sequence is on one shard");
  plan->effect = Effect::writes;
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace anabranch::rewriter
