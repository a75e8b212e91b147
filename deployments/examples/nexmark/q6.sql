-- The mean of the winning prices of a seller's last eleven auctions, as of each of them. A later bid
-- may win one of them: the result updates. Auctions that were won at the same time go by price.
SELECT seller, avg(final) OVER (
         PARTITION BY seller ORDER BY date_time ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS mean_final
FROM (
  SELECT a.seller, b.price AS final, b.date_time,
         ROW_NUMBER() OVER (
           PARTITION BY a.id ORDER BY b.price DESC, b.date_time, b.bidder, b.extra) AS place
  FROM auction AS a
  JOIN bid AS b ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
) AS bids
WHERE place <= 1
