-- The mean of the winning prices of each category. A later bid may win its auction and change the
-- mean: the result updates.
SELECT category, avg(final) AS mean_final
FROM (
  SELECT max(b.price) AS final, a.category
  FROM auction AS a
  JOIN bid AS b ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
  GROUP BY a.id, a.category
) AS winners
GROUP BY category
