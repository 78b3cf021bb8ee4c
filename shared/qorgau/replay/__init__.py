"""Files of facts judged case by case, in one process or several; `assess` and `replay` are the commands."""
