ANALYZE hits;
