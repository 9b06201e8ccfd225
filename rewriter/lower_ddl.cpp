#include "rewriter/lower.h"

namespace anabranch::rewriter {

using namespace tree;

namespace {

CreateTable::Persistence persistence_of(const PgQuery__RangeVar& range) {
  const std::string word = text_or_empty(range.relpersistence);
  if (word == "t") return CreateTable::Persistence::temporary;
  return word == "u" ? CreateTable::Persistence::unlogged : CreateTable::Persistence::permanent;
}

RelationName::Kind relation_kind(PgQuery__ObjectType type) {
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
      return RelationName::Kind::table;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      return RelationName::Kind::view;
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      return RelationName::Kind::index;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      return RelationName::Kind::sequence;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
      return RelationName::Kind::materialized_view;
    default:
      return RelationName::Kind::unknown;
  }
}

/// A name as a String, or as a List of them.
Name name_of(const PgQuery__Node* node) {
  Name out;
  for (const PgQuery__Node* part : items_of(node)) out.push_back(string_of(part));
  return out;
}

void add_relation(const Name& name, RelationName::Kind kind, Utility& out) {
  if (name.empty()) return;
  out.relations.push_back({name.size() > 1 ? name[name.size() - 2] : "", name.back(), false, kind});
}

/// OWNED BY table.column: the table.
void add_owner(std::size_t count, PgQuery__Node** options, Utility& out) {
  for (std::size_t i = 0; i < count; ++i) {
    if (options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
    const auto& option = *options[i]->def_elem;
    if (text_or_empty(option.defname) != "owned_by") continue;
    Name name = name_of(option.arg);
    if (name.size() < 2) continue;  // OWNED BY NONE
    name.pop_back();
    add_relation(name, RelationName::Kind::table, out);
  }
}

Drop drop(const PgQuery__DropStmt& node, Utility& out) {
  Drop detail;
  detail.object = object_words(node.remove_type);
  detail.if_exists = node.missing_ok;
  detail.cascade = node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  detail.concurrently = node.concurrent;
  const auto kind = relation_kind(node.remove_type);
  for (std::size_t i = 0; i < node.n_objects; ++i) {
    Name name = name_of(node.objects[i]);
    if (kind != RelationName::Kind::unknown) add_relation(name, kind, out);
    // A trigger, rule or policy is named after its table.
    if (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER ||
        node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_RULE ||
        node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY)
      add_relation(Name(name.begin(), name.end() - (name.empty() ? 0 : 1)),
                   RelationName::Kind::table, out);
    detail.names.push_back(std::move(name));
  }
  return detail;
}

}  // namespace

bool Lowering::ddl_detail(const Node* node, Utility& out) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      out.detail = create_table(*node->create_stmt);
      return true;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT: {
      const auto& create = *node->create_table_as_stmt;
      CreateTableAs detail;
      detail.table = table(*create.into->rel);
      detail.persistence = persistence_of(*create.into->rel);
      detail.materialized_view = create.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
      detail.if_not_exists = create.if_not_exists;
      detail.with_no_data = create.into->skip_data;
      detail.query = statement(create.query);
      detail.empty_form = deparse_without_data(create);
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_VIEW_STMT: {
      const auto& view = *node->view_stmt;
      out.detail = CreateView{table(*view.view), view.replace != 0,
                              persistence_of(*view.view) == CreateTable::Persistence::temporary,
                              subquery(view.query)};
      return true;
    }
    case PG_QUERY__NODE__NODE_INDEX_STMT: {
      const auto& index = *node->index_stmt;
      CreateIndex detail{table(*index.relation), text_or_empty(index.idxname), index.unique != 0,
                         index.concurrent != 0,  index.if_not_exists != 0,     {}};
      for (std::size_t i = 0; i < index.n_index_params; ++i)
        detail.columns.push_back(text_or_empty(index.index_params[i]->index_elem->name));
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT: {
      const auto& alter = *node->alter_table_stmt;
      AlterTable detail{table(*alter.relation), alter.missing_ok != 0, {}, {}, {}, {}};
      for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto& command = *alter.cmds[i]->alter_table_cmd;
        detail.actions.push_back(alter_table_action(command.subtype));
        detail.names.push_back(text_or_empty(command.name));
        if (command.def == nullptr) continue;
        if (command.def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
          detail.columns.push_back(column_definition(*command.def->column_def));
        else if (command.def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
          detail.constraints.push_back(table_constraint(*command.def->constraint));
      }
      if (!out.relations.empty()) out.relations[0].kind = relation_kind(alter.objtype);
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      out.detail = Rename{object_words(node->rename_stmt->rename_type),
                          text_or_empty(node->rename_stmt->subname),
                          text_or_empty(node->rename_stmt->newname)};
      return true;
    case PG_QUERY__NODE__NODE_DROP_STMT:
      out.detail = drop(*node->drop_stmt, out);
      return true;
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
      out.detail = Truncate{node->truncate_stmt->restart_seqs != 0,
                            node->truncate_stmt->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE};
      return true;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
      add_owner(node->create_seq_stmt->n_options, node->create_seq_stmt->options, out);
      return true;
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
      add_owner(node->alter_seq_stmt->n_options, node->alter_seq_stmt->options, out);
      return true;
    case PG_QUERY__NODE__NODE_COMMENT_STMT: {
      const auto kind = relation_kind(node->comment_stmt->objtype);
      Name name = name_of(node->comment_stmt->object);
      if (node->comment_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN && !name.empty()) {
        name.pop_back();
        add_relation(name, RelationName::Kind::unknown, out);
      } else if (kind != RelationName::Kind::unknown) {
        add_relation(name, kind, out);
      }
      return true;
    }
    default:
      return false;
  }
}

CreateTable Lowering::create_table(const PgQuery__CreateStmt& node) {
  CreateTable out;
  out.table = table(*node.relation);
  out.persistence = persistence_of(*node.relation);
  out.if_not_exists = node.if_not_exists;
  out.partitioned = node.partspec != nullptr;
  for (std::size_t i = 0; i < node.n_inh_relations; ++i) {
    TableRef parent = table(*node.inh_relations[i]->range_var);
    if (node.partbound)
      out.partition_of = std::move(parent);
    else
      out.inherits.push_back(std::move(parent));
  }
  for (std::size_t i = 0; i < node.n_table_elts; ++i) {
    const Node* element = node.table_elts[i];
    if (element->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
      out.columns.push_back(column_definition(*element->column_def));
    else if (element->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
      out.constraints.push_back(table_constraint(*element->constraint));
    else if (element->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
      out.likes.push_back(table(*element->table_like_clause->relation));
  }
  for (std::size_t i = 0; i < node.n_constraints; ++i)
    out.constraints.push_back(table_constraint(*node.constraints[i]->constraint));
  return out;
}

ColumnDefinition Lowering::column_definition(const PgQuery__ColumnDef& node) {
  ColumnDefinition out;
  out.name = text_or_empty(node.colname);
  if (node.type_name) out.type = type_name(*node.type_name);
  if (node.coll_clause && node.coll_clause->n_collname > 0)
    out.collation = strings_of(node.coll_clause->n_collname, node.coll_clause->collname).back();
  out.not_null = node.is_not_null;
  for (std::size_t i = 0; i < node.n_constraints; ++i)
    column_constraint(*node.constraints[i]->constraint, out);
  return out;
}

void Lowering::column_constraint(const PgQuery__Constraint& node, ColumnDefinition& out) {
  switch (node.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
      out.not_null = true;
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
      out.primary_key = true;
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
      out.unique = true;
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      out.identity = true;
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
      out.generated = true;
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      if (node.pktable) out.references = table(*node.pktable);
      out.referenced = strings_of(node.n_pk_attrs, node.pk_attrs);
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
      out.has_default = true;
      out.default_text = baked_text(node.raw_expr);
      break;
    default:
      break;
  }
}

CreateTable::TableConstraint Lowering::table_constraint(const PgQuery__Constraint& node) {
  CreateTable::TableConstraint out;
  out.columns = strings_of(node.n_keys, node.keys);
  switch (node.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
      out.kind = "PRIMARY KEY";
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
      out.kind = "UNIQUE";
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      out.kind = "CHECK";
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
      out.kind = "EXCLUDE";
      break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      out.kind = "FOREIGN KEY";
      out.columns = strings_of(node.n_fk_attrs, node.fk_attrs);
      if (node.pktable) out.references = table(*node.pktable);
      out.referenced = strings_of(node.n_pk_attrs, node.pk_attrs);
      break;
    default:
      out.kind = "OTHER";
      break;
  }
  return out;
}

}  // namespace anabranch::rewriter
