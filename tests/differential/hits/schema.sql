-- Page views, as a web analytics service counts them: one wide table, sharded by user.

CREATE TABLE hits (
  watch_id bigint NOT NULL,
  user_id bigint NOT NULL,
  counter_id integer NOT NULL,
  event_time timestamp NOT NULL,
  event_date date NOT NULL,
  client_ip integer NOT NULL,
  region_id integer NOT NULL,
  os smallint NOT NULL,
  is_refresh smallint NOT NULL,
  is_mobile smallint NOT NULL,
  is_link smallint NOT NULL,
  is_download smallint NOT NULL,
  resolution_width smallint NOT NULL,
  window_width smallint NOT NULL,
  window_height smallint NOT NULL,
  traffic_source smallint NOT NULL,
  search_engine_id smallint NOT NULL,
  adv_engine_id smallint NOT NULL,
  phone_model text NOT NULL,
  search_phrase text NOT NULL,
  title text NOT NULL,
  url text NOT NULL,
  referer text NOT NULL,
  PRIMARY KEY (user_id, watch_id)
);
