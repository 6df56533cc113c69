/** The URL of the model that comes with the package, a small teller of stories (8 MB), for `Quire.open({model: tales})`. */
declare const tales: string;
export default tales;
