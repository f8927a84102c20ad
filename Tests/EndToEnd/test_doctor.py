"""`hub doctor`: what is wrong, and what only should not stay so."""


def test_a_server_that_may_lose_the_last_second_is_a_warning_and_nothing_wrong(make_house):
    house = make_house()
    assert "ok       durability" in house.hub("doctor")
    house.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    assert "warning  durability: innodb_flush_log_at_trx_commit is not 1" in house.hub("doctor")
