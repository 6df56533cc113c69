// Whether this page comes from a server of models. "quire serve" answers this path with true.
export default false;
